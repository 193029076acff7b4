// How the frames of a call get into and out of the lanes.

template <class T, int W>
inline void gather(const Operand& from, std::int64_t frame, std::int64_t count, typename Lanes<T, W>::type* to) {
  const T* data[W];
  for (int lane = 0; lane < W; ++lane)
    data[lane] = from.at<T>(std::min(frame + lane, count - 1));
  T* values = reinterpret_cast<T*>(to);
  for (int lane = 0; lane < W; ++lane)
    for (std::int64_t i = 0; i < from.size; ++i) values[i * W + lane] = data[lane][i];
}

template <class T, int W>
inline void scatter(const typename Lanes<T, W>::type* from, const Operand& to, std::int64_t frame, std::int64_t count) {
  T* data = static_cast<T*>(to.data) + frame * to.size;
  const int lanes = int(std::min<std::int64_t>(W, count - frame));
  const T* values = reinterpret_cast<const T*>(from);
  for (int lane = 0; lane < lanes; ++lane)
    for (std::int64_t i = 0; i < to.size; ++i) data[lane * to.size + i] = values[i * W + lane];
}

template <class T>
inline Numbers<T> numbers(const Call& call, std::int64_t frame) {
  const T* p[NUMBERS];
  for (int i = 0; i < NUMBERS; ++i) p[i] = call.numbers[i].at<T>(frame);
  return {p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8], p[9], p[10], p[11], p[12], p[13], p[14], call.pieces, call.powers};
}

// Frames from `begin` to `end`, W at once.
template <class T, int W>
void work(const Structure& tree, const Call& call, std::int64_t begin, std::int64_t end) {
  typedef typename Lanes<T, W>::type V;
  static thread_local Workspace<V> w;
  w.fit(tree);
  for (std::int64_t frame = begin; frame < end; frame += W) {
    const Numbers<T> n = numbers<T>(call, frame);
    V* in[5] = {};
    for (std::size_t i = 0; i < call.in.size(); ++i) {
      if (!call.in[i].size) continue;
      in[i] = w.in[i].data();
      gather<T, W>(call.in[i], frame, end, in[i]);
    }
    V* out[4];
    for (std::size_t i = 0; i < call.out.size(); ++i) {
      w.out[i].resize(std::max<std::int64_t>(call.out[i].size, 1));
      out[i] = w.out[i].data();
    }
    switch (call.kernel) {
      case Kernel::inverse_dynamics:
        inverse_dynamics<T, W, V>(tree, n, in[0], in[1], in[2], in[3], out[0], w);
        break;
      case Kernel::derivative:
        derivative<T, W, V>(tree, n, in[0], in[1], in[2], in[3], in[4], out[0], out[1], out[2], out[3], w);
        break;
      case Kernel::mass_matrix:
        mass_matrix<T, W, V>(tree, n, in[0], out[0], w);
        break;
      case Kernel::solve:
        solve<T, W, V>(tree, n, in[0], in[1], in[2], in[3], out[0], w);
        break;
    }
    for (std::size_t i = 0; i < call.out.size(); ++i) scatter<T, W>(out[i], call.out[i], frame, end);
  }
}

// Wide lanes hold frames of one body; where every frame has a body of its own, or there is but one, they would be empty.
template <class T>
void run(const Structure& tree, const Call& call) {
  constexpr int wide = MONOMSK_BYTES / sizeof(T);
  call.frames > 1 && !call.many_bodies ? work<T, wide>(tree, call, 0, call.frames) : work<T, 1>(tree, call, 0, call.frames);
}
