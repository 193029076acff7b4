// The kernels as a target of XLA's foreign function interface, in a Python module that holds nothing but its address.
//
// A call names a kernel and the tree of a body, and brings the body's numbers and the frames; leading axes of length one
// are shared by all frames. setup.py builds this file several times, for several instruction sets (MONOMSK_BYTES is the
// width of their registers); monomsk.native chooses one.

#include <Python.h>

#include <cmath>

#include "structure.h"
#include "xla/ffi/api/ffi.h"

namespace ffi = xla::ffi;

enum class Kernel : std::int64_t { inverse_dynamics, derivative, mass_matrix, solve };

constexpr int NUMBERS = 15;                                                   // arrays of the body, see Numbers
constexpr int RANK[NUMBERS] = {1, 2, 3, 3, 2, 3, 2, 3, 2, 2, 2, 2, 2, 3, 1};  // their axes

// An array whose last `size` entries belong to one frame, and where each frame's are.
struct Operand {
  void* data = nullptr;
  std::int64_t size = 0;
  std::vector<std::int64_t> lengths, strides;  // of the leading axes; the stride is zero where all frames share

  std::int64_t offset(std::int64_t frame) const {
    std::int64_t sum = 0;
    for (std::size_t axis = lengths.size(); axis-- > 0; frame /= lengths[axis]) sum += frame % lengths[axis] * strides[axis];
    return sum;
  }
};

struct Call {
  Kernel kernel = Kernel::inverse_dynamics;
  bool many_bodies = false;
  std::int64_t frames = 1;
  int pieces = 1, powers = 1;
  Operand numbers[NUMBERS];
  std::vector<Operand> in, out;
};

#include "lanes.h"
#include "tree.h"
#include "dynamics.h"
#include "frames.h"

namespace {

std::vector<std::int64_t> leading(const ffi::AnyBuffer& buffer, int rank) {
  const auto dimensions = buffer.dimensions();
  return {dimensions.begin(), dimensions.end() - rank};
}

Operand operand(const ffi::AnyBuffer& buffer, int rank, const std::vector<std::int64_t>& lengths) {
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

// The tree of the call; made anew only when it is another than the last call's.
const Structure& structure(ffi::Span<const std::int64_t> parent, ffi::Span<const std::int64_t> slot_coordinate,
                           ffi::Span<const std::int64_t> slot_curve, ffi::Span<const std::int64_t> follows) {
  static thread_local Structure kept;
  const auto same = [](const std::vector<int>& a, ffi::Span<const std::int64_t> b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin());
  };
  if (same(kept.parent, parent) && same(kept.slot_coordinate, slot_coordinate) && same(kept.slot_curve, slot_curve) &&
      same(kept.follows, follows))
    return kept;
  kept.parent.assign(parent.begin(), parent.end());
  kept.slot_coordinate.assign(slot_coordinate.begin(), slot_coordinate.end());
  kept.slot_curve.assign(slot_curve.begin(), slot_curve.end());
  kept.follows.assign(follows.begin(), follows.end());
  kept.derive();
  return kept;
}

ffi::Error call_kernel(ffi::RemainingArgs args, ffi::RemainingRets rets, std::int64_t kernel, ffi::Span<const std::int64_t> ranks,
                       ffi::Span<const std::int64_t> parent, ffi::Span<const std::int64_t> slot_coordinate,
                       ffi::Span<const std::int64_t> slot_curve, ffi::Span<const std::int64_t> follows) {
  if (args.size() != NUMBERS + ranks.size()) return ffi::Error::InvalidArgument("monomsk: wrong number of arrays");
  Call call;
  call.kernel = static_cast<Kernel>(kernel);
  std::vector<ffi::AnyBuffer> buffers;
  std::vector<int> rank(RANK, RANK + NUMBERS);
  rank.insert(rank.end(), ranks.begin(), ranks.end());
  for (std::size_t i = 0; i < args.size(); ++i) {
    auto buffer = args.get<ffi::AnyBuffer>(i);
    if (buffer.has_error()) return buffer.error();
    if (buffer->element_type() != (i ? buffers[0].element_type() : buffer->element_type()))
      return ffi::Error::InvalidArgument("monomsk: arrays of different types");
    buffers.push_back(*buffer);
  }
  std::vector<std::int64_t> lengths = leading(buffers[0], rank[0]);
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    const auto own = leading(buffers[i], rank[i]);
    if (own.size() != lengths.size()) return ffi::Error::InvalidArgument("monomsk: arrays of different leading axes");
    for (std::size_t axis = 0; axis < own.size(); ++axis) {
      lengths[axis] = std::max(lengths[axis], own[axis]);
      call.many_bodies = call.many_bodies || (i < NUMBERS && own[axis] > 1);
    }
  }
  for (std::int64_t length : lengths) call.frames *= length;
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    const Operand found = operand(buffers[i], rank[i], lengths);
    i < NUMBERS ? void(call.numbers[i] = found) : call.in.push_back(found);
  }
  call.pieces = int(buffers[12].dimensions().end()[-1]);
  call.powers = int(buffers[13].dimensions().end()[-1]);
  for (std::size_t i = 0; i < rets.size(); ++i) {
    auto buffer = rets.get<ffi::AnyBuffer>(i);
    if (buffer.has_error()) return buffer.error();
    const int own = int((*buffer)->dimensions().size() - lengths.size());
    call.out.push_back(operand(**buffer, own, lengths));
  }
  const Structure& tree = structure(parent, slot_coordinate, slot_curve, follows);
  switch (buffers[0].element_type()) {
    case ffi::F32:
      run<float>(tree, call);
      break;
    case ffi::F64:
      run<double>(tree, call);
      break;
    default:
      return ffi::Error::InvalidArgument("monomsk: only single and double precision");
  }
  return ffi::Error::Success();
}

}  // namespace

XLA_FFI_DEFINE_HANDLER(handler, call_kernel,
                       ffi::Ffi::Bind()
                           .RemainingArgs()
                           .RemainingRets()
                           .Attr<std::int64_t>("kernel")
                           .Attr<ffi::Span<const std::int64_t>>("ranks")
                           .Attr<ffi::Span<const std::int64_t>>("parent")
                           .Attr<ffi::Span<const std::int64_t>>("slot_coordinate")
                           .Attr<ffi::Span<const std::int64_t>>("slot_curve")
                           .Attr<ffi::Span<const std::int64_t>>("follows"));

// Whether this processor has the instructions that the module was built for.
static bool supported() {
#if MONOMSK_BYTES == 64
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#elif MONOMSK_BYTES == 32
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  return true;
#endif
}

#define TEXT_OF(name) #name
#define TEXT(name) TEXT_OF(name)
#define JOINED_OF(a, b) a##b
#define JOINED(a, b) JOINED_OF(a, b)

PyMODINIT_FUNC JOINED(PyInit_, MONOMSK_MODULE)() {
  static PyModuleDef definition = {PyModuleDef_HEAD_INIT, TEXT(MONOMSK_MODULE), nullptr, -1, nullptr, nullptr, nullptr, nullptr, nullptr};
  PyObject* module = PyModule_Create(&definition);
  if (!module) return nullptr;
  PyModule_AddObject(module, "target", PyCapsule_New(reinterpret_cast<void*>(handler), nullptr, nullptr));
  PyModule_AddObject(module, "supported", PyBool_FromLong(supported()));
  return module;
}
