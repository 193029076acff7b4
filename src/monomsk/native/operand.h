// The arrays of a call: what belongs to one frame, and where each frame's part is.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "xla/ffi/api/ffi.h"

namespace ffi = xla::ffi;

// An array whose last `size` entries belong to one frame.
struct Operand {
  void* data = nullptr;
  std::int64_t size = 0;
  std::vector<std::int64_t> lengths, strides;  // of the leading axes; the stride is zero where all frames share

  std::int64_t offset(std::int64_t frame) const {
    std::int64_t sum = 0;
    for (std::size_t axis = lengths.size(); axis-- > 0; frame /= lengths[axis]) sum += frame % lengths[axis] * strides[axis];
    return sum;
  }
  template <class T>
  T* at(std::int64_t frame) const {
    return static_cast<T*>(data) + offset(frame);
  }
};

// All arrays of a call. Leading axes of length one are shared by all frames.
struct Arrays {
  std::vector<Operand> in, out;
  std::vector<std::vector<std::int64_t>> dimensions;  // of what goes in, leading axes too
  std::vector<bool> shared;                           // whether an array that goes in is the same for all frames
  std::int64_t frames = 1;
  bool single = false;  // precision
};

inline std::vector<std::int64_t> leading(const ffi::AnyBuffer& buffer, int rank) {
  const auto dimensions = buffer.dimensions();
  return {dimensions.begin(), dimensions.end() - rank};
}

inline Operand operand(const ffi::AnyBuffer& buffer, int rank, const std::vector<std::int64_t>& lengths) {
  Operand out;
  out.data = buffer.untyped_data();
  out.size = 1;
  const auto dimensions = buffer.dimensions();
  for (std::size_t axis = dimensions.size() - rank; axis < dimensions.size(); ++axis) out.size *= dimensions[axis];
  out.lengths = lengths;
  out.strides.assign(lengths.size(), 0);
  std::int64_t stride = out.size;
  for (std::size_t axis = lengths.size(); axis-- > 0; stride *= dimensions[axis])
    if (dimensions[axis] > 1) out.strides[axis] = stride;
  return out;
}

// `rank` are the axes of each array that belong to one frame.
inline ffi::Error decode(ffi::RemainingArgs args, ffi::RemainingRets rets, const std::vector<int>& rank, Arrays& call) {
  if (args.size() != rank.size()) return ffi::Error::InvalidArgument("monomsk: wrong number of arrays");
  std::vector<ffi::AnyBuffer> buffers;
  for (std::size_t i = 0; i < args.size(); ++i) {
    auto buffer = args.get<ffi::AnyBuffer>(i);
    if (buffer.has_error()) return buffer.error();
    if (buffer->element_type() != (i ? buffers[0].element_type() : buffer->element_type()))
      return ffi::Error::InvalidArgument("monomsk: arrays of different types");
    buffers.push_back(*buffer);
  }
  if (buffers[0].element_type() != ffi::F32 && buffers[0].element_type() != ffi::F64)
    return ffi::Error::InvalidArgument("monomsk: only single and double precision");
  call.single = buffers[0].element_type() == ffi::F32;
  std::vector<std::int64_t> lengths = leading(buffers[0], rank[0]);
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    const auto own = leading(buffers[i], rank[i]);
    if (own.size() != lengths.size()) return ffi::Error::InvalidArgument("monomsk: arrays of different leading axes");
    for (std::size_t axis = 0; axis < own.size(); ++axis) lengths[axis] = std::max(lengths[axis], own[axis]);
    call.shared.push_back(std::all_of(own.begin(), own.end(), [](std::int64_t length) { return length == 1; }));
  }
  for (std::int64_t length : lengths) call.frames *= length;
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    const auto dimensions = buffers[i].dimensions();
    call.dimensions.emplace_back(dimensions.begin(), dimensions.end());
    call.in.push_back(operand(buffers[i], rank[i], lengths));
  }
  for (std::size_t i = 0; i < rets.size(); ++i) {
    auto buffer = rets.get<ffi::AnyBuffer>(i);
    if (buffer.has_error()) return buffer.error();
    call.out.push_back(operand(**buffer, int((*buffer)->dimensions().size() - lengths.size()), lengths));
  }
  return ffi::Error::Success();
}
