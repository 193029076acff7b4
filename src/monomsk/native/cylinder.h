// A line that bends around a cylinder, as monomsk.physics.wrap_cylinder, whose words explain it.

enum Contact { MISSES, INSIDE, WRAPPED, CROSSES };

template <class T>
struct Cylinder {
  T radius, half_length;
  Vector<T> side;         // zero for either
  bool shortest, literal;  // whether the tangent points slide; whether OpenSim's turn too many is counted
  bool slides;             // whether they slide as in OpenSim
};

template <class T>
struct Bend {
  Contact status;
  Vector<T> start, end;
  T arc, detour;
};

template <class T>
inline T length_of(const Vector<T>& v) {
  return std::sqrt(dot(v, v));
}

template <class T>
inline bool on_side(const Cylinder<T>& c, T x, T y, T z) {
  return c.side.x * x + c.side.y * y + c.side.z * z >= T(0);
}

template <class T>
inline bool constrained(const Cylinder<T>& c) {
  return std::abs(c.side.x) + std::abs(c.side.y) + std::abs(c.side.z) > T(0);
}

// Whether the segment must, may or need not bend.
template <class T>
inline Contact contact(const Vector<T>& p1, const Vector<T>& p2, const Cylinder<T>& c) {
  const Vector<T> d = p2 - p1;
  const T flat = d.x * d.x + d.y * d.y;
  const bool parallel = flat < T(1e-7) * (flat + d.z * d.z) + T(1e-30);
  const T t = -(p1.x * d.x + p1.y * d.y) / (parallel ? T(1) : flat);
  const Vector<T> near = p1 + t * d;
  const bool crosses = !parallel && near.x * near.x + near.y * near.y < c.radius * c.radius && t > T(0) && t < T(1);
  const bool on1 = on_side(c, p1.x, p1.y, p1.z), on2 = on_side(c, p2.x, p2.y, p2.z), either = !constrained(c);
  if (crosses && (either || on1 || on2)) return CROSSES;
  if (either) return MISSES;
  return (!on1 && !on2) || (on1 != on2 && !on_side(c, near.x, near.y, near.z) && !parallel) ? WRAPPED : MISSES;
}

// The two points of the circle whose tangents pass through p, at height zero.
template <class T>
inline void candidates(const Vector<T>& p, T radius, Vector<T>& a, Vector<T>& b) {
  const T squared = p.x * p.x + p.y * p.y;
  const T toward = radius * radius / squared;
  const T across = radius * std::sqrt(std::max(squared - radius * radius, T(1e-24))) / squared;
  a = {toward * p.x - across * p.y, toward * p.y + across * p.x, T(0)};
  b = {toward * p.x + across * p.y, toward * p.y - across * p.x, T(0)};
}

// Tangent points in the plane across the axis, whether they lie on the far side, and whether the arc is the long one.
template <class T>
inline void tangent_points(const Vector<T>& p1, const Vector<T>& p2, const Cylinder<T>& c, Vector<T>& r1, Vector<T>& r2, bool& far_side,
                           bool& long_way) {
  Vector<T> a1, b1, a2, b2;
  candidates(p1, c.radius, a1, b1);
  candidates(p2, c.radius, a2, b2);
  const T aa = dot(a1, a2), ab = dot(a1, b2), ba = dot(b1, a2), bb = dot(b1, b2);
  bool first, second;
  far_side = long_way = false;
  if (!constrained(c)) {
    const bool free_aa = aa > ab && aa > ba && aa > bb, free_ab = ab > ba && ab > bb;
    first = free_aa || free_ab;
    second = free_aa || (!free_ab && ba > bb);
  } else {
    const bool on_a1 = on_side(c, a1.x, a1.y, p1.z), on_b1 = on_side(c, b1.x, b1.y, p1.z);
    const bool on_a2 = on_side(c, a2.x, a2.y, p2.z), on_b2 = on_side(c, b2.x, b2.y, p2.z);
    const bool wider = ab < ba;
    first = on_a1 != on_b1 ? on_a1 : !on_a2 && (on_a1 || on_b2 || wider);
    second = !first;
    far_side = wider == first;
  }
  r1 = first ? a1 : b1;
  r2 = second ? a2 : b2;
  if (constrained(c)) long_way = (r1.x + r2.x) * (r1.x - p1.x + r2.x - p2.x) + (r1.y + r2.y) * (r1.y - p1.y + r2.y - p2.y) < T(0);
}

// Heights of the tangent points in the plane through p1, p2 and the edge of the cylinder nearest their line.
template <class T>
inline void plane_heights(const Vector<T>& p1, const Vector<T>& p2, const Vector<T>& r1, const Vector<T>& r2, T radius, bool far_side,
                          T& h1, T& h2) {
  const T d1 = std::sqrt(p1.x * p1.x + p1.y * p1.y), d2 = std::sqrt(p2.x * p2.x + p2.y * p2.y);
  const Vector<T> middle = p1 + (d1 / (d1 + d2)) * (p2 - p1);
  const T z1 = p1.z - middle.z, z2 = p2.z - middle.z;
  const T ex = p1.x * z2 - z1 * p2.x, ey = p1.y * z2 - z1 * p2.y;
  T size = radius / std::sqrt(std::max(ex * ex + ey * ey, T(1e-30)));
  if ((ex * middle.x + ey * middle.y > T(0)) == far_side) size = -size;
  const Vector<T> u = {p1.x - size * ex, p1.y - size * ey, z1}, v = {p2.x - size * ex, p2.y - size * ey, z2};
  const Vector<T> n = cross(u, v);
  const bool flat = n.z * n.z < T(2.5e-13) * dot(n, n) + T(1e-60);
  const T steep = flat ? T(1) : n.z, span = std::abs(p1.z - p2.z);
  h1 = p1.z - ((r1.x - p1.x) * n.x + (r1.y - p1.y) * n.y) / steep;
  h2 = p2.z - ((r2.x - p2.x) * n.x + (r2.y - p2.y) * n.y) / steep;
  if (flat || !(std::abs(h1 - p2.z) < span)) h1 = p1.z;
  if (flat || !(std::abs(h2 - p1.z) < span)) h2 = p2.z;
}

// Height of the tangent point r of the line from p after a slide towards the line from p to w, the next point on the surface.
template <class T>
inline bool slide(const Vector<T>& p, const Vector<T>& w, Vector<T>& r) {
  const Vector<T> before = r - p, after = w - r, whole = w - p;
  const auto steepness = [](const Vector<T>& v) { return std::acos(std::min(T(1), std::max(T(-1), v.z / length_of(v)))); };
  if (!(std::abs(steepness(before) - steepness(after)) > T(0.1 * 3.141592653589793 / 180))) return false;
  const T share = (before.x * whole.x + before.y * whole.y) / std::max(whole.x * whole.x + whole.y * whole.y, T(1e-30));
  r.z += T(1.5) * (p.z + share * whole.z - r.z);
  return true;
}

// OpenSim's search for the shortest path over an arc that goes around by `turn` and has this length across the axis.
template <class T>
inline void slide_both(const Vector<T>& p1, const Vector<T>& p2, T turn, T around, Vector<T>& r1, Vector<T>& r2) {
  for (int i = 0; i < 100; ++i) {
    const T rise = r2.z - r1.z, pieces = std::floor(std::sqrt(around * around + rise * rise) / T(0.002));
    if (pieces < T(2)) return;
    const T near = T(1) / pieces, far = T(1) - near;
    const auto on_arc = [&](T share) {
      const T c = std::cos(share * turn), s = std::sin(share * turn);
      return Vector<T>{r1.x * c - r1.y * s, r1.x * s + r1.y * c, r1.z + share * rise};
    };
    const bool first = slide(p1, on_arc(near), r1);
    // The arc starts at the new first point and rises as it did from the old one.
    const bool second = slide(p2, on_arc(far), r2);
    if (!first && !second) return;
  }
}

template <class T>
inline Bend<T> bend(const Vector<T>& p1, const Vector<T>& p2, const Cylinder<T>& c) {
  Bend<T> out = {};
  const T squared = c.radius * c.radius;
  out.status = p1.x * p1.x + p1.y * p1.y < squared || p2.x * p2.x + p2.y * p2.y < squared ? INSIDE : contact(p1, p2, c);
  if (out.status < WRAPPED) return out;
  bool far_side, long_way;
  tangent_points(p1, p2, c, out.start, out.end, far_side, long_way);
  T h1, h2;
  plane_heights(p1, p2, out.start, out.end, c.radius, far_side, h1, h2);
  if (std::abs(h1) > c.half_length && std::abs(h2) > c.half_length) {
    out.status = MISSES;
    return out;
  }
  const T turn = std::atan2(out.start.x * out.end.y - out.start.y * out.end.x, dot(out.start, out.end));
  const T around = c.radius * (long_way ? T(6.283185307179586) - (c.literal ? turn : std::abs(turn)) : std::abs(turn));
  const auto apart = [](const Vector<T>& a, const Vector<T>& b) { return std::sqrt((a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y)); };
  const T d1 = apart(out.start, p1), d2 = apart(out.end, p2), rise = (p2.z - p1.z) / (d1 + around + d2);
  out.start.z = c.shortest && !c.slides ? p1.z + rise * d1 : h1;
  out.end.z = c.shortest && !c.slides ? p1.z + rise * (d1 + around) : h2;
  if (c.slides) slide_both(p1, p2, long_way ? turn - T(6.283185307179586) : turn, around, out.start, out.end);
  out.arc = std::sqrt(around * around + (out.end.z - out.start.z) * (out.end.z - out.start.z));
  out.detour = length_of(out.start - p1) + out.arc + length_of(p2 - out.end) - length_of(p2 - p1);
  return out;
}
