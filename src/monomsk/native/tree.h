// The body as the kernels see it, and where its parts are: one sweep from the root to the leaves.

// Numbers of one body model, laid out as monomsk.model.Model has them.
template <class T>
struct Numbers {
  const T *mass, *mass_center, *inertia, *R_parent, *p_parent, *R_child, *p_child, *axis, *slope, *intercept, *gain;
  const T *breaks, *origins, *coefficients, *gravity;
  int pieces, powers;
};

// One joint and the body behind it, W frames at once. Vectors in ground axes about the first body's origin.
template <class V>
struct Part {
  Vector<V> axis[6];
  V rate[6], curvature[6], third[6];  // derivatives of a slot's displacement by its coordinate
  Vector<V> pivot;
  Matrix<V> R;
  Vector<V> p;
  Inertia<V> inertia;
};

// Displacement of a slot and its derivatives. Functions that are curves differ from lane to lane in their piece.
template <class T, int W, class V>
inline void displacement(const Structure& tree, const Numbers<T>& n, int slot, const V* q, V& value, Part<V>& part) {
  const int k = slot % 6, coordinate = tree.slot_coordinate[slot], curve = tree.slot_curve[slot];
  const T gain = n.gain[slot];
  part.rate[k] = part.curvature[k] = part.third[k] = V{};
  if (curve < 0) {
    value = V{} + gain * n.intercept[slot];
    if (coordinate >= 0) {
      value = value + gain * n.slope[slot] * q[coordinate];
      part.rate[k] = V{} + gain * n.slope[slot];
    }
    return;
  }
  alignas(64) T x[W], out[4][W];
  const V place = coordinate >= 0 ? q[coordinate] : V{};
  std::memcpy(x, &place, sizeof(V));
  const T *breaks = n.breaks + curve * (n.pieces - 1), *origins = n.origins + curve * n.pieces;
  for (int lane = 0; lane < W; ++lane) {
    int piece = 0;
    for (int i = 0; i < n.pieces - 1; ++i) piece += x[lane] >= breaks[i];
    const T* c = n.coefficients + (curve * n.pieces + piece) * n.powers;
    const T d = x[lane] - origins[piece];
    T f0 = 0, f1 = 0, f2 = 0, f3 = 0;  // value, first derivative, halves of the second, sixths of the third
    for (int i = n.powers - 1; i >= 0; --i) {
      f3 = f3 * d + f2;
      f2 = f2 * d + f1;
      f1 = f1 * d + f0;
      f0 = f0 * d + c[i];
    }
    out[0][lane] = gain * f0;
    out[1][lane] = gain * f1;
    out[2][lane] = 2 * gain * f2;
    out[3][lane] = 6 * gain * f3;
  }
  std::memcpy(&value, out[0], sizeof(V));
  std::memcpy(&part.rate[k], out[1], sizeof(V));
  std::memcpy(&part.curvature[k], out[2], sizeof(V));
  std::memcpy(&part.third[k], out[3], sizeof(V));
}

// Whether a slot neither moves nor displaces.
template <class T>
inline bool idle(const Structure& tree, const Numbers<T>& n, int slot) {
  return tree.slot_coordinate[slot] < 0 && tree.slot_curve[slot] < 0 && n.intercept[slot] == T(0);
}

// Turn the columns of `frame` by an angle about one of its own axes.
template <class T, int W, class V>
inline void turn(Matrix<V>& frame, const T* axis, const V& angle) {
  V s, c;
  sine_cosine<T, W>(angle, s, c);
  for (int k = 0; k < 3; ++k) {
    const int i = (k + 1) % 3, j = (k + 2) % 3;
    if (axis[i] != T(0) || axis[j] != T(0)) continue;
    const V along = s * axis[k];
    const Vector<V> a = frame.c[i], b = frame.c[j];
    frame.c[i] = c * a + along * b;
    frame.c[j] = c * b - along * a;
    return;
  }
  // Rodrigues: 1 + s K + (1 - c) K K, its columns.
  const T x = axis[0], y = axis[1], z = axis[2];
  const V u = T(1) - c;
  const Matrix<V> own = frame;
  const Vector<V> first = {c + u * (x * x), u * (x * y) + s * z, u * (x * z) - s * y};
  const Vector<V> second = {u * (x * y) - s * z, c + u * (y * y), u * (y * z) + s * x};
  const Vector<V> last = {u * (x * z) + s * y, u * (y * z) - s * x, c + u * (z * z)};
  frame = {{own * first, own * second, own * last}};
}

template <class T>
inline bool is_identity(const T* m) {
  for (int i = 0; i < 9; ++i)
    if (m[i] != T(i % 4 == 0)) return false;
  return true;
}

// frame times a plain matrix (row-major), or its transpose.
template <class V, class T>
inline Matrix<V> times(const Matrix<V>& frame, const T* m, bool transposed) {
  if (is_identity(m)) return frame;
  Matrix<V> out;
  for (int j = 0; j < 3; ++j) {
    const T column[3] = {transposed ? m[3 * j] : m[j], transposed ? m[3 * j + 1] : m[3 + j], transposed ? m[3 * j + 2] : m[6 + j]};
    out.c[j] = turned(frame, column);
  }
  return out;
}

// Inertia of a body about the origin, in ground axes.
template <class V, class T>
inline Inertia<V> placed(const Matrix<V>& R, const Vector<V>& p, T mass, const T* center, const T* inertia) {
  Inertia<V> out;
  const Vector<V> c = turned(R, center) + p;
  out.mass = V{} + mass;
  out.first = out.mass * c;
  Matrix<V> half;  // R times the inertia in body axes
  for (int j = 0; j < 3; ++j) half.c[j] = turned(R, inertia + 3 * j);
  const auto entry = [&](V Vector<V>::*row, V Vector<V>::*column) {
    return half.c[0].*row * R.c[0].*column + half.c[1].*row * R.c[1].*column + half.c[2].*row * R.c[2].*column;
  };
  typedef Vector<V> U;
  const V xx = out.first.x * c.x, yy = out.first.y * c.y, zz = out.first.z * c.z;
  out.xx = entry(&U::x, &U::x) + yy + zz;
  out.yy = entry(&U::y, &U::y) + xx + zz;
  out.zz = entry(&U::z, &U::z) + xx + yy;
  out.xy = entry(&U::x, &U::y) - out.first.x * c.y;
  out.xz = entry(&U::x, &U::z) - out.first.x * c.z;
  out.yz = entry(&U::y, &U::z) - out.first.y * c.z;
  return out;
}

// Poses of all bodies; returns the first body's origin in the ground, about which everything else is given.
template <class T, int W, class V>
inline Vector<V> place(const Structure& tree, const Numbers<T>& n, const V* q, Part<V>* parts) {
  const V zero{};
  Vector<V> origin = {zero, zero, zero};
  for (int i = 0; i < tree.bodies; ++i) {
    Part<V>& part = parts[i];
    Matrix<V> frame = {{{zero + T(1), zero, zero}, {zero, zero + T(1), zero}, {zero, zero, zero + T(1)}}};
    Vector<V> p = {zero - origin.x, zero - origin.y, zero - origin.z};
    if (tree.parent[i] >= 0) frame = parts[tree.parent[i]].R, p = parts[tree.parent[i]].p;
    p = p + turned(frame, n.p_parent + 3 * i);
    frame = times(frame, n.R_parent + 9 * i, false);
    const T* axis = n.axis + 18 * i;
    V value;
    for (int k = 3; k < 6; ++k) {
      if (idle(tree, n, 6 * i + k)) continue;
      displacement<T, W, V>(tree, n, 6 * i + k, q, value, part);
      part.axis[k] = turned(frame, axis + 3 * k);
      p = p + value * part.axis[k];
    }
    part.pivot = p;
    for (int k = 0; k < 3; ++k) {
      if (idle(tree, n, 6 * i + k)) continue;
      displacement<T, W, V>(tree, n, 6 * i + k, q, value, part);
      part.axis[k] = turned(frame, axis + 3 * k);
      turn<T, W, V>(frame, axis + 3 * k, value);
    }
    part.R = times(frame, n.R_child + 9 * i, true);
    part.p = p - turned(part.R, n.p_child + 3 * i);
    if (i == 0) {
      origin = part.p;
      part.pivot = part.pivot - origin;
      part.p = {zero, zero, zero};
    }
    part.inertia = placed(part.R, part.p, n.mass[i], n.mass_center + 3 * i, n.inertia + 9 * i);
  }
  return origin;
}

// Motion that a unit rate of a slot's displacement gives to everything behind it.
template <class V>
inline Spatial<V> twist(const Part<V>& part, int slot) {
  if (slot > 2) return {{V{}, V{}, V{}}, part.axis[slot]};
  return {part.axis[slot], cross(part.pivot, part.axis[slot])};
}
