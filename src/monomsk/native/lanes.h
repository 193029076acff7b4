// Numbers side by side: W frames in one vector register, and the small geometry made of them.

template <class T, int W>
struct Lanes {
  typedef T type __attribute__((vector_size(sizeof(T) * W)));
};
template <class T>
struct Lanes<T, 1> {
  typedef T type;
};

// The integer type of the same width, and the constants of the reduction of angles. Cody and Waite's three parts of
// pi/2, and the polynomials of Moshier's Cephes, good to rounding between -pi/4 and pi/4.
template <class T>
struct Trigonometry;
template <>
struct Trigonometry<double> {
  typedef std::int64_t Int;
  static constexpr double shift = 6755399441055744.0;  // 1.5 * 2^52: adding it rounds to whole numbers
  static constexpr double quarter[3] = {1.57079632673412561417e+00, 6.07710050630396597660e-11, 2.02226624879595063154e-21};
  static constexpr double sine[6] = {1.58962301576546568060e-10, -2.50507477628578072866e-8, 2.75573136213857245213e-6,
                                     -1.98412698295895385996e-4, 8.33333333332211858878e-3,  -1.66666666666666307295e-1};
  static constexpr double cosine[6] = {-1.13585365213876817300e-11, 2.08757008419747316778e-9,  -2.75573141792967388112e-7,
                                       2.48015872888517045348e-5,   -1.38888888888730564116e-3, 4.16666666666665929218e-2};
};
template <>
struct Trigonometry<float> {
  typedef std::int32_t Int;
  static constexpr float shift = 12582912.0f;  // 1.5 * 2^23
  static constexpr float quarter[3] = {1.5703125f, 4.837512969970703125e-4f, 7.54978995489188216e-8f};
  static constexpr float sine[3] = {-1.9515295891e-4f, 8.3321608736e-3f, -1.6666654611e-1f};
  static constexpr float cosine[3] = {2.443315711809948e-5f, -1.388731625493765e-3f, 4.166664568298827e-2f};
};

template <class To, class From>
inline To bits(const From& from) {
  To to;
  static_assert(sizeof(to) == sizeof(from), "same width");
  std::memcpy(&to, &from, sizeof(to));
  return to;
}

template <class T, int W>
inline void sine_cosine(const typename Lanes<T, W>::type& x, typename Lanes<T, W>::type& s, typename Lanes<T, W>::type& c) {
  typedef typename Lanes<T, W>::type V;
  typedef Trigonometry<T> K;
  typedef typename Lanes<typename K::Int, W>::type I;
  const V shifted = x * T(0.63661977236758134308) + K::shift;
  const V turns = shifted - K::shift;
  const I quadrant = bits<I>(shifted);
  const V r = ((x - turns * K::quarter[0]) - turns * K::quarter[1]) - turns * K::quarter[2];
  const V z = r * r;
  V p = z * K::sine[0] + K::sine[1], q = z * K::cosine[0] + K::cosine[1];
  for (unsigned i = 2; i < sizeof(K::sine) / sizeof(T); ++i) {
    p = p * z + K::sine[i];
    q = q * z + K::cosine[i];
  }
  const V sr = r + r * z * p, cr = T(1) - T(0.5) * z + z * z * q;
  const auto odd = (quadrant & 1) != 0;
  s = odd ? cr : sr;
  c = odd ? sr : cr;
  s = (quadrant & 2) != 0 ? -s : s;
  c = ((quadrant + 1) & 2) != 0 ? -c : c;
}

template <class T, int W>
inline typename Lanes<T, W>::type root(const typename Lanes<T, W>::type& x) {
  alignas(64) T values[W];
  std::memcpy(values, &x, sizeof(values));
  for (int lane = 0; lane < W; ++lane) values[lane] = std::sqrt(values[lane]);
  typename Lanes<T, W>::type out;
  std::memcpy(&out, values, sizeof(values));
  return out;
}

template <class V>
struct Vector {
  V x, y, z;
};
template <class V>
inline Vector<V> operator+(const Vector<V>& a, const Vector<V>& b) {
  return {a.x + b.x, a.y + b.y, a.z + b.z};
}
template <class V>
inline Vector<V> operator-(const Vector<V>& a, const Vector<V>& b) {
  return {a.x - b.x, a.y - b.y, a.z - b.z};
}
template <class V>
inline Vector<V> operator*(const V& s, const Vector<V>& a) {
  return {s * a.x, s * a.y, s * a.z};
}
template <class V>
inline Vector<V> cross(const Vector<V>& a, const Vector<V>& b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}
template <class V>
inline V dot(const Vector<V>& a, const Vector<V>& b) {
  return a.x * b.x + a.y * b.y + a.z * b.z;
}

// Motion (angular, linear) and force (moment, force) about one point, as in monomsk.spatial.motion.
template <class V>
struct Spatial {
  Vector<V> a, l;
};
template <class V>
inline Spatial<V> operator+(const Spatial<V>& p, const Spatial<V>& q) {
  return {p.a + q.a, p.l + q.l};
}
template <class V>
inline Spatial<V> operator-(const Spatial<V>& p, const Spatial<V>& q) {
  return {p.a - q.a, p.l - q.l};
}
template <class V>
inline Spatial<V> operator*(const V& s, const Spatial<V>& p) {
  return {s * p.a, s * p.l};
}
template <class V>
inline V dot(const Spatial<V>& p, const Spatial<V>& q) {
  return dot(p.a, q.a) + dot(p.l, q.l);
}
// Rate of a motion vector that is carried along by v.
template <class V>
inline Spatial<V> cross_motion(const Spatial<V>& v, const Spatial<V>& m) {
  return {cross(v.a, m.a), cross(v.a, m.l) + cross(v.l, m.a)};
}
// Rate of a force vector that is carried along by v. Equals minus the transpose of cross_motion.
template <class V>
inline Spatial<V> cross_force(const Spatial<V>& v, const Spatial<V>& f) {
  return {cross(v.a, f.a) + cross(v.l, f.l), cross(v.a, f.l)};
}

// Three columns.
template <class V>
struct Matrix {
  Vector<V> c[3];
};
template <class V>
inline Vector<V> operator*(const Matrix<V>& m, const Vector<V>& v) {
  return v.x * m.c[0] + v.y * m.c[1] + v.z * m.c[2];
}
// The same with three plain numbers.
template <class V, class T>
inline Vector<V> turned(const Matrix<V>& m, const T* v) {
  return {m.c[0].x * v[0] + m.c[1].x * v[1] + m.c[2].x * v[2], m.c[0].y * v[0] + m.c[1].y * v[1] + m.c[2].y * v[2],
          m.c[0].z * v[0] + m.c[1].z * v[1] + m.c[2].z * v[2]};
}

// Mass, mass times its centre, and the moments of inertia xx yy zz xy xz yz, all about one point. They add up.
template <class V>
struct Inertia {
  V mass;
  Vector<V> first;
  V xx, yy, zz, xy, xz, yz;
};
template <class V>
inline Spatial<V> operator*(const Inertia<V>& i, const Spatial<V>& v) {
  const Vector<V> turning = {i.xx * v.a.x + i.xy * v.a.y + i.xz * v.a.z, i.xy * v.a.x + i.yy * v.a.y + i.yz * v.a.z,
                             i.xz * v.a.x + i.yz * v.a.y + i.zz * v.a.z};
  return {turning + cross(i.first, v.l), i.mass * v.l - cross(i.first, v.a)};
}
