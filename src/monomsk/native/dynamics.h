// Inverse dynamics, its derivative, the mass matrix and its solution, W frames at once.
//
// Featherstone (2008), chapters 5 and 6, with all vectors in ground axes about the first body's origin. The derivative is the reverse mode of the same
// recursion in closed form: see derivative().

// Slots in the order in which they carry each other: translations, then rotations.
constexpr int CHAIN[6] = {3, 4, 5, 0, 1, 2};

template <class V>
struct Motion {
  Spatial<V> v, a, u;  // velocity, acceleration less gravity, and velocity if the speeds were the weights of derivative()
};

// What a subtree needs and carries.
template <class V>
struct Load {
  Spatial<V> force;  // net wrench
  Spatial<V> momentum, mixed, outside;  // see derivative()
};

template <class V>
struct Workspace {
  std::vector<Part<V>, Aligned<Part<V>>> parts;
  std::vector<Motion<V>, Aligned<Motion<V>>> motions;
  std::vector<Load<V>, Aligned<Load<V>>> loads;
  std::vector<Spatial<V>, Aligned<Spatial<V>>> twists;
  std::vector<Inertia<V>, Aligned<Inertia<V>>> composite;
  std::vector<V, Aligned<V>> in[5], out[4], matrix;

  void fit(const Structure& tree) {
    parts.resize(tree.bodies);
    motions.resize(tree.bodies);
    loads.resize(tree.bodies);
    composite.resize(tree.bodies);
    twists.resize(tree.coordinates);
    for (auto& values : in) values.resize(std::max(tree.coordinates, 6 * tree.bodies));
    matrix.resize(tree.coordinates * tree.coordinates);
  }
};

// One slot's part of velocity and acceleration on top of what carries it.
template <bool WEIGHTED, class V>
inline void add_slot(Motion<V>& m, const Part<V>& part, int k, const V& qd, const V& qdd, const V& weight) {
  const Spatial<V> t = twist(part, k);
  const Spatial<V> rate = (part.rate[k] * qd) * t;
  m.a = m.a + (part.rate[k] * qdd + part.curvature[k] * qd * qd) * t + cross_motion(m.v, rate);
  m.v = m.v + rate;
  if (WEIGHTED) m.u = m.u + (part.rate[k] * weight) * t;
}

// The ground: at rest, but accelerated against gravity, so that all bodies are.
template <class T, class V>
inline Motion<V> ground(const Numbers<T>& n) {
  const V zero{};
  const Vector<V> none = {zero, zero, zero};
  return {{none, none}, {none, {zero - n.gravity[0], zero - n.gravity[1], zero - n.gravity[2]}}, {none, none}};
}

template <bool WEIGHTED, class T, class V>
inline void move(const Structure& tree, const Numbers<T>& n, const V* qd, const V* qdd, const V* weight, Workspace<V>& w) {
  const Motion<V> still = ground<T, V>(n);
  for (int i = 0; i < tree.bodies; ++i) {
    Motion<V> m = tree.parent[i] >= 0 ? w.motions[tree.parent[i]] : still;
    for (int k : CHAIN)
      if (const int c = tree.slot_coordinate[6 * i + k]; c >= 0)
        add_slot<WEIGHTED>(m, w.parts[i], k, qd[c], qdd[c], WEIGHTED ? weight[c] : V{});
    w.motions[i] = m;
  }
}

// A wrench about the ground's origin, seen from the first body's.
template <class V>
inline Spatial<V> outer_wrench(const V* f, int body, const Vector<V>& origin) {
  f += 6 * body;
  const Vector<V> force = {f[3], f[4], f[5]};
  return {Vector<V>{f[0], f[1], f[2]} - cross(origin, force), force};
}

// Generalized forces of a motion.
template <class T, int W, class V>
inline void inverse_dynamics(const Structure& tree, const Numbers<T>& n, const V* q, const V* qd, const V* qdd, const V* f_ext,
                             V* tau, Workspace<V>& w) {
  const Vector<V> origin = place<T, W, V>(tree, n, q, w.parts.data());
  move<false>(tree, n, qd, qdd, (const V*)nullptr, w);
  for (int i = 0; i < tree.bodies; ++i) {
    const Motion<V>& m = w.motions[i];
    const Inertia<V>& inertia = w.parts[i].inertia;
    w.loads[i].force = inertia * m.a + cross_force(m.v, inertia * m.v);
    if (f_ext) w.loads[i].force = w.loads[i].force - outer_wrench(f_ext, i, origin);
  }
  for (int c = 0; c < tree.coordinates; ++c) tau[c] = V{};
  for (int i = tree.bodies - 1; i >= 0; --i) {
    const Spatial<V>& force = w.loads[i].force;
    for (int k : CHAIN)
      if (const int c = tree.slot_coordinate[6 * i + k]; c >= 0)
        tau[c] = tau[c] + w.parts[i].rate[k] * dot(twist(w.parts[i], k), force);
    if (tree.parent[i] >= 0) w.loads[tree.parent[i]].force = w.loads[tree.parent[i]].force + force;
  }
}

// Derivative of weight . tau by q, qd, qdd and f_ext.
//
// weight . tau is the power of the net wrenches F of all bodies on velocities u that the weights would give as speeds.
// When slot k moves by dx, everything behind it moves rigidly by J dx, J = rate * twist, and the sum over the bodies j
// behind it changes by J . G dx with
//
//   G = - u x* F - E - a x* P - v x* (Q - v x* P)
//
// where u, v, a are those up to slot k, x* is cross_force, and the sums over the subtree are F = sum F_j,
// P = sum I u_j, E = sum u_j x* f_ext_j, Q = sum (v_j x* I u_j - u_j x* I v_j + I (u_j x v_j)).
// By the speed it changes as J . (Q - 2 v x* P), by the acceleration as J . P. Rates that change with the coordinate
// (curves) add what they multiply.
template <class T, int W, class V>
inline void derivative(const Structure& tree, const Numbers<T>& n, const V* q, const V* qd, const V* qdd, const V* f_ext,
                       const V* weight, V* dq, V* dqd, V* dqdd, V* df, Workspace<V>& w) {
  const Vector<V> origin = place<T, W, V>(tree, n, q, w.parts.data());
  move<true>(tree, n, qd, qdd, weight, w);
  const V zero{};
  const Vector<V> none = {zero, zero, zero};
  for (int i = 0; i < tree.bodies; ++i) {
    const Motion<V>& m = w.motions[i];
    const Inertia<V>& inertia = w.parts[i].inertia;
    Load<V>& load = w.loads[i];
    const Spatial<V> of_v = inertia * m.v;
    load.momentum = inertia * m.u;
    load.force = inertia * m.a + cross_force(m.v, of_v);
    load.mixed = cross_force(m.v, load.momentum) - cross_force(m.u, of_v) + inertia * cross_motion(m.u, m.v);
    load.outside = {none, none};
    if (f_ext) {
      const Spatial<V> outer = outer_wrench(f_ext, i, origin);
      load.force = load.force - outer;
      load.outside = cross_force(m.u, outer);
      // Power of a wrench about the ground's origin: the velocity there.
      const Vector<V> there = m.u.l - cross(m.u.a, origin);
      const V entries[6] = {m.u.a.x, m.u.a.y, m.u.a.z, there.x, there.y, there.z};
      for (int k = 0; k < 6; ++k) df[6 * i + k] = zero - entries[k];
    }
  }
  for (int c = 0; c < tree.coordinates; ++c) dq[c] = dqd[c] = dqdd[c] = zero;
  for (int i = tree.bodies - 1; i >= 0; --i) {
    const Load<V>& load = w.loads[i];
    const Part<V>& part = w.parts[i];
    Motion<V> m = tree.parent[i] >= 0 ? w.motions[tree.parent[i]] : ground<T, V>(n);
    for (int k : CHAIN) {
      const int c = tree.slot_coordinate[6 * i + k];
      if (c < 0) continue;
      add_slot<true>(m, part, k, qd[c], qdd[c], weight[c]);
      const Spatial<V> t = twist(part, k);
      const Spatial<V> carried = cross_force(m.v, load.momentum);
      const Spatial<V> by_speed = load.mixed - carried - carried;
      const Spatial<V> by_place = cross_force(m.u, load.force) + load.outside + cross_force(m.a, load.momentum) +
                                  cross_force(m.v, load.mixed - carried);
      const V along_momentum = dot(t, load.momentum), along_speed = dot(t, by_speed);
      V place = zero - part.rate[k] * dot(t, by_place), speed = part.rate[k] * along_speed;
      if (tree.slot_curve[6 * i + k] >= 0) {
        const V twice = part.curvature[k] * qd[c];
        speed = speed + (twice + twice) * along_momentum;
        place = place + part.curvature[k] * (weight[c] * dot(t, load.force) + qd[c] * along_speed + qdd[c] * along_momentum) +
                part.third[k] * qd[c] * qd[c] * along_momentum;
      }
      dq[c] = dq[c] + place;
      dqd[c] = dqd[c] + speed;
      dqdd[c] = dqdd[c] + part.rate[k] * along_momentum;
    }
    if (tree.parent[i] >= 0) {
      Load<V>& up = w.loads[tree.parent[i]];
      up.force = up.force + load.force;
      up.momentum = up.momentum + load.momentum;
      up.mixed = up.mixed + load.mixed;
      up.outside = up.outside + load.outside;
    }
  }
}

template <class V>
inline void add(Inertia<V>& to, const Inertia<V>& i) {
  to.mass = to.mass + i.mass;
  to.first = to.first + i.first;
  to.xx = to.xx + i.xx, to.yy = to.yy + i.yy, to.zz = to.zz + i.zz;
  to.xy = to.xy + i.xy, to.xz = to.xz + i.xz, to.yz = to.yz + i.yz;
}

// Entries (c, d) of the mass matrix where neither is zero by the tree, d not after c, given to `entry`.
template <class T, int W, class V, class Entry>
inline void mass_entries(const Structure& tree, const Numbers<T>& n, const V* q, Workspace<V>& w, Entry entry) {
  place<T, W, V>(tree, n, q, w.parts.data());
  const V zero{};
  const Vector<V> none = {zero, zero, zero};
  for (int c = 0; c < tree.coordinates; ++c) w.twists[c] = {none, none};
  for (int i = 0; i < tree.bodies; ++i) {
    w.composite[i] = w.parts[i].inertia;
    for (int k = 0; k < 6; ++k)
      if (const int c = tree.slot_coordinate[6 * i + k]; c >= 0) w.twists[c] = w.twists[c] + w.parts[i].rate[k] * twist(w.parts[i], k);
  }
  for (int i = tree.bodies - 1; i >= 0; --i) {
    if (tree.parent[i] >= 0) add(w.composite[tree.parent[i]], w.composite[i]);
    for (int a = tree.first[i]; a < tree.first[i + 1]; ++a) {
      const Spatial<V> momentum = w.composite[i] * w.twists[tree.own[a]];
      for (int b = tree.first[i]; b <= a; ++b) entry(tree.own[a], tree.own[b], dot(w.twists[tree.own[b]], momentum));
      for (int j = tree.parent[i]; j >= 0; j = tree.parent[j])
        for (int b = tree.first[j]; b < tree.first[j + 1]; ++b) entry(tree.own[a], tree.own[b], dot(w.twists[tree.own[b]], momentum));
    }
  }
}

template <class T, int W, class V>
inline void mass_matrix(const Structure& tree, const Numbers<T>& n, const V* q, V* matrix, Workspace<V>& w) {
  const int count = tree.coordinates;
  for (int i = 0; i < count * count; ++i) matrix[i] = V{};
  mass_entries<T, W, V>(tree, n, q, w, [&](int c, int d, const V& value) { matrix[c * count + d] = matrix[d * count + c] = value; });
}

// Solution x of (G' M G + diagonal) x = rhs. Coordinate c follows the free coordinate tree.follows[c] at rate[c], or none.
template <class T, int W, class V>
inline void solve(const Structure& tree, const Numbers<T>& n, const V* q, const V* rate, const V* diagonal, const V* rhs, V* x,
                  Workspace<V>& w) {
  const int count = tree.free;
  V* A = w.matrix.data();
  for (int k = 0; k < count; ++k) {
    for (int i : tree.pattern[k]) A[k * count + i] = V{};
    A[k * count + k] = diagonal[k];
    x[k] = rhs[k];
  }
  mass_entries<T, W, V>(tree, n, q, w, [&](int c, int d, const V& value) {
    const int a = tree.follows[c], b = tree.follows[d];
    if (a < 0 || b < 0) return;
    V& place = A[std::max(a, b) * count + std::min(a, b)];
    const V folded = rate[c] * rate[d] * value;
    place = place + folded;
    if (a == b && c != d) place = place + folded;
  });
  // A = L' L with L lower triangular, from the last row up: the tree's zeros stay zeros (Featherstone 2008, section 6.5).
  for (int k = count - 1; k >= 0; --k) {
    V* row = A + k * count;
    const V inverse = T(1) / root<T, W>(row[k]);
    row[k] = inverse;
    for (int i : tree.pattern[k]) row[i] = row[i] * inverse;
    for (int i : tree.pattern[k])
      for (int j : tree.pattern[k]) {
        if (j > i) break;
        A[i * count + j] = A[i * count + j] - row[i] * row[j];
      }
    x[k] = x[k] * inverse;
    for (int i : tree.pattern[k]) x[i] = x[i] - row[i] * x[k];
  }
  for (int k = 0; k < count; ++k) {
    const V* row = A + k * count;
    V sum = x[k];
    for (int i : tree.pattern[k]) sum = sum - row[i] * x[i];
    x[k] = sum * row[k];
  }
}
