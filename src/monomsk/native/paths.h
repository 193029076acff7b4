// Muscle paths over points and cylinders, a frame and a muscle at a time, as monomsk.physics.muscle_path, whose words explain them.

constexpr int PATH_NUMBERS = 13;
constexpr int PATH_RANK[PATH_NUMBERS] = {3, 2, 2, 2, 2, 2, 2, 2, 3, 2, 2, 1, 1};  // axes of the arrays in the order of PathFrame

// How the rows that are asked for lie in the tables.
struct PathLayout {
  std::vector<std::int64_t> rows, first_wrap;  // wraps of rows[i]: first_wrap[i] ... first_wrap[i + 1] - 1
  bool as_opensim = false;
  int points = 0, curves = 0, bodies = 0, coordinates = 0;
};

constexpr int WRAP = 21;  // body, R by rows, p, radius, half length, side, first and last point, number of the surface
constexpr int CURVE = 4;  // row, point, axis, coordinate

template <class T>
struct PathFrame {
  const T *location, *body, *coordinate, *lower, *upper, *curve, *wrap, *moves;  // of the muscles
  const T *R, *p, *twist, *q, *rate;                                             // of the frame
};

template <class T>
struct Node {
  Vector<T> point, drawn;  // where it is; where OpenSim draws the straight pieces to
  T key;
  int body, owner;  // the wrap it lies on; -1 for the path's own points
};

template <class T>
struct Laid {
  bool found = false, seen = false, blocked = false;
  T arc = 0;
  Contact status = MISSES;
  Vector<T> start, end;  // as first drawn
};

constexpr int ROUNDS = 16, OPENSIM_ROUNDS = 8;

template <class T>
class Path {
 public:
  Path(const PathLayout& layout, const PathFrame<T>& frame) : l(layout), f(frame) {}

  // Lay row number i of the layout.
  void lay(int i) {
    row = int(l.rows[i]);
    first_wrap = int(l.first_wrap[i]);
    wraps = int(l.first_wrap[i + 1]) - first_wrap;
    begin();
    laid.assign(wraps, Laid<T>());
    if (wraps == 1) {
      lay_over(0, nodes, laid[0]);
    } else if (wraps > 1) {
      lay_in_turn();
    }
  }

  T length() const {
    T sum = 0;
    for (std::size_t k = 0; k + 1 < nodes.size(); ++k)
      if (straight(k)) sum += distance(k);
    for (const Laid<T>& wrap : laid)
      if (wrap.found) sum += wrap.arc;
    return sum;
  }

  int points() const { return own_points; }

  T inside_of() const {
    T surface = -1;
    for (int w = 0; w < wraps; ++w)
      if (laid[w].blocked) surface = std::max(surface, numbers(w)[20]);
    return surface;
  }

  // Work of a unit tension per unit of every coordinate; `movers` are the coordinates that move each body.
  void work(const std::vector<std::vector<int>>& movers, T* out) {
    std::fill(out, out + l.coordinates, T(0));
    const Vector<T> origin = vector(f.p);
    pulls.assign(nodes.size(), Vector<T>{T(0), T(0), T(0)});
    for (std::size_t k = 0; k + 1 < nodes.size(); ++k) {
      // Pieces within one body do no work, unless their ends are old ones: OpenSim leaves them out.
      if (!straight(k) || (drawn() && nodes[k].body == nodes[k + 1].body)) continue;
      const T far = distance(k);
      if (!(far * far > T(1e-20))) continue;
      const Vector<T> direction = (T(1) / far) * (end_of(k + 1) - end_of(k));
      pulls[k] = pulls[k] + direction;
      pulls[k + 1] = pulls[k + 1] - direction;
    }
    touched.clear();
    for (std::size_t k = 0; k < nodes.size(); ++k) {
      if (nodes[k].body < 0) continue;
      const Spatial<T> wrench = {cross(nodes[k].point - origin, pulls[k]), pulls[k]};
      const auto known = std::find_if(touched.begin(), touched.end(), [&](const auto& t) { return t.first == nodes[k].body; });
      if (known == touched.end())
        touched.emplace_back(nodes[k].body, wrench);
      else
        known->second = known->second + wrench;
    }
    for (const auto& [body, wrench] : touched)
      for (int c : movers[body]) {
        const T* twist = f.twist + 6 * c;
        out[c] += dot(wrench, Spatial<T>{vector(twist), vector(twist + 3)});
      }
    along_moving_points(out);
  }

 private:
  const PathLayout& l;
  const PathFrame<T>& f;
  int row = 0, first_wrap = 0, wraps = 0, own_points = 0;
  std::vector<Node<T>> nodes, rest;
  std::vector<int> place;  // node of each of the row's points; -1 where it is not on the path
  std::vector<Laid<T>> laid;
  std::vector<Vector<T>> pulls;
  std::vector<std::pair<int, Spatial<T>>> touched;

  static Vector<T> vector(const T* v) { return {v[0], v[1], v[2]}; }
  static Vector<T> turned_by(const T* m, const Vector<T>& v) {
    return {m[0] * v.x + m[1] * v.y + m[2] * v.z, m[3] * v.x + m[4] * v.y + m[5] * v.z, m[6] * v.x + m[7] * v.y + m[8] * v.z};
  }
  static Vector<T> turned_back(const T* m, const Vector<T>& v) {
    return {m[0] * v.x + m[3] * v.y + m[6] * v.z, m[1] * v.x + m[4] * v.y + m[7] * v.z, m[2] * v.x + m[5] * v.y + m[8] * v.z};
  }
  Vector<T> in_ground(int body, const Vector<T>& v) const { return body < 0 ? v : turned_by(f.R + 9 * body, v) + vector(f.p + 3 * body); }
  const T* numbers(int w) const { return f.wrap + WRAP * (first_wrap + w); }

  // The row's own points that are on the path.
  void begin() {
    nodes.clear();
    for (int k = 0; k < l.points; ++k) {
      const int at = row * l.points + k;
      const T value = f.q[int(f.coordinate[at])];
      if (!(value >= f.lower[at] - T(1e-5) && value <= f.upper[at] + T(1e-5))) continue;
      const int body = int(f.body[at]);
      const Vector<T> point = in_ground(body, vector(f.location + 3 * at));
      nodes.push_back({point, point, T(k), body, -1});
    }
    own_points = int(nodes.size());
  }

  bool drawn() const { return l.as_opensim && wraps > 1; }
  const Vector<T>& end_of(std::size_t k) const { return drawn() ? nodes[k].drawn : nodes[k].point; }
  bool straight(std::size_t k) const { return nodes[k].owner < 0 || nodes[k].owner != nodes[k + 1].owner; }
  T distance(std::size_t k) const { return length_of(end_of(k + 1) - end_of(k)); }

  // Lay the path anew over one of its wraps, at the segment where that is due.
  void lay_over(int w, std::vector<Node<T>>& path, Laid<T>& result) {
    path.erase(std::remove_if(path.begin(), path.end(), [&](const Node<T>& n) { return n.owner == w; }), path.end());
    const T* n = numbers(w);
    const int body = int(n[0]);
    // A surface in a body: first the body's frame, then its own.
    const auto local = [&](const Vector<T>& v) {
      const Vector<T> in_body = body < 0 ? v : turned_back(f.R + 9 * body, v - vector(f.p + 3 * body));
      return turned_back(n + 1, in_body - vector(n + 10));
    };
    const auto ground = [&](const Vector<T>& v) { return in_ground(body, turned_by(n + 1, v) + vector(n + 10)); };
    const Cylinder<T> cylinder = {n[13], n[14], vector(n + 15), !(l.as_opensim && wraps == 1), l.as_opensim, drawn()};
    result.blocked = result.found = false;
    bool crossed = false;
    Contact last = MISSES;
    T best = 0;
    std::size_t chosen = 0;
    Bend<T> taken = {};
    for (std::size_t k = 0; k + 1 < path.size(); ++k) {
      if (!(path[k].key >= n[18] && path[k + 1].key <= n[19]) || same_surface(path[k].owner, path[k + 1].owner)) continue;
      const Bend<T> found = bend(local(path[k].point), local(path[k + 1].point), cylinder);
      last = found.status;
      crossed = crossed || last == CROSSES;
      result.blocked = result.blocked || last == INSIDE;
      if (last < WRAPPED) continue;
      // A segment that pierces the cylinder comes before any other, the first on the path before the next.
      T rank = last == CROSSES ? path[k].key - T(1e6) : found.detour;
      if (drawn() && last != CROSSES) {
        // OpenSim weighs the detours between the old ends of the straight pieces.
        const Vector<T>&a = path[k].drawn, &b = path[k + 1].drawn;
        rank = length_of(ground(found.start) - a) + found.arc + length_of(b - ground(found.end)) - length_of(b - a);
      }
      if (result.found && !(rank < best)) continue;
      result.found = true;
      best = rank;
      chosen = k;
      taken = found;
    }
    result.status = crossed ? CROSSES : last;
    result.arc = result.found ? taken.arc : T(0);
    if (!result.found) return;
    const Vector<T> start = ground(taken.start), end = ground(taken.end);
    if (!result.seen) {
      result.start = start;
      result.end = end;
      result.seen = true;
    }
    const T low = path[chosen].key, high = path[chosen + 1].key, step = (high - low) / T(3);
    const Node<T> laid_nodes[2] = {{start, result.start, low + step, body, w}, {end, result.end, high - step, body, w}};
    path.insert(path.begin() + chosen + 1, laid_nodes, laid_nodes + 2);
  }

  // A segment between two points of one surface lies on it already.
  bool same_surface(int a, int b) const { return a >= 0 && b >= 0 && numbers(a)[20] == numbers(b)[20]; }

  // Over and over, in the model's order, until nothing changes, or as often as OpenSim.
  void lay_in_turn() {
    bool swapped = false;
    T before = std::numeric_limits<T>::infinity();
    std::vector<Contact> met(wraps, MISSES);
    for (int round = 0; round < (l.as_opensim ? OPENSIM_ROUNDS : ROUNDS); ++round) {
      T change = 0;
      for (int turn = 0; turn < wraps; ++turn) {
        const int w = swapped && turn < 2 ? 1 - turn : turn;
        const bool was = laid[w].found;
        const T arc = laid[w].arc;
        lay_over(w, nodes, laid[w]);
        met[turn] = laid[w].status;
        change = was == laid[w].found ? std::max(change, std::abs(laid[w].arc - arc)) : std::numeric_limits<T>::infinity();
        // OpenSim's remedy when the second wrap fails because the first left a point inside it: swap the two, once.
        if (round == 0 && turn == wraps - 1 && met[0] == MISSES && met[1] == INSIDE) swapped = true, change = 1;
      }
      if (l.as_opensim) {
        const T now = length();
        if (std::abs(now - before) < T(5e-4)) return;
        before = now;
      } else if (change < T(1e-14)) {
        return;
      }
    }
  }

  // Work of the tension on points that move in their bodies.
  void along_moving_points(T* out) const {
    for (int i = 0; i < l.curves; ++i) {
      const T* curve = f.curve + CURVE * i;
      if (int(curve[0]) != row) continue;
      for (std::size_t k = 0; k < nodes.size(); ++k) {
        if (nodes[k].owner >= 0 || int(nodes[k].key) != int(curve[1])) continue;
        const int body = nodes[k].body, axis = int(curve[2]);
        Vector<T> direction = {T(axis == 0), T(axis == 1), T(axis == 2)};
        if (body >= 0) direction = turned_by(f.R + 9 * body, direction);
        out[int(curve[3])] += dot(direction, pulls[k]) * f.rate[i];
      }
    }
  }
};

template <class T>
void lay_paths(const PathLayout& layout, const Arrays& call) {
  std::vector<std::vector<int>> movers;
  for (std::int64_t frame = 0; frame < call.frames; ++frame) {
    const T* a[PATH_NUMBERS];
    for (int i = 0; i < PATH_NUMBERS; ++i) a[i] = call.in[i].at<T>(frame);
    const PathFrame<T> f = {a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11], a[12]};
    if (frame == 0 || !call.shared[7]) {
      movers.assign(layout.bodies, {});
      for (int body = 0; body < layout.bodies; ++body)
        for (int c = 0; c < layout.coordinates; ++c)
          if (f.moves[body * layout.coordinates + c] != T(0)) movers[body].push_back(c);
    }
    Path<T> path(layout, f);
    T *length = call.out[0].at<T>(frame), *work = call.out[1].at<T>(frame);
    T *inside_of = call.out[2].at<T>(frame), *points = call.out[3].at<T>(frame);
    for (std::size_t i = 0; i < layout.rows.size(); ++i) {
      path.lay(int(i));
      length[i] = path.length();
      path.work(movers, work + i * layout.coordinates);
      inside_of[i] = path.inside_of();
      points[i] = T(path.points());
    }
  }
}
