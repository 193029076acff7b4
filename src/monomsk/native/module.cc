// The kernels as targets of XLA's foreign function interface, in a Python module that holds nothing but their addresses.
//
// A call of the dynamics names a kernel and the tree of a body, and brings the body's numbers and the frames; a call of the
// paths brings tables of muscles and surfaces. Leading axes of length one are shared by all frames. setup.py builds this file
// several times, for several instruction sets (MONOMSK_BYTES is the width of their registers); monomsk.native chooses one.

#include <Python.h>

#include <cmath>
#include <limits>
#include <utility>

#include "operand.h"
#include "structure.h"

enum class Kernel : std::int64_t { inverse_dynamics, derivative, mass_matrix, solve };

constexpr int NUMBERS = 15;                                                   // arrays of the body, see Numbers
constexpr int RANK[NUMBERS] = {1, 2, 3, 3, 2, 3, 2, 3, 2, 2, 2, 2, 2, 3, 1};  // their axes

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
#include "cylinder.h"
#include "paths.h"

namespace {

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
  std::vector<int> rank(RANK, RANK + NUMBERS);
  rank.insert(rank.end(), ranks.begin(), ranks.end());
  Arrays arrays;
  if (ffi::Error error = decode(args, rets, rank, arrays); error.failure()) return error;
  Call call;
  call.kernel = static_cast<Kernel>(kernel);
  call.frames = arrays.frames;
  call.many_bodies = std::find(arrays.shared.begin(), arrays.shared.begin() + NUMBERS, false) != arrays.shared.begin() + NUMBERS;
  call.pieces = int(arrays.dimensions[12].back());
  call.powers = int(arrays.dimensions[13].back());
  std::copy(arrays.in.begin(), arrays.in.begin() + NUMBERS, call.numbers);
  call.in.assign(arrays.in.begin() + NUMBERS, arrays.in.end());
  call.out = arrays.out;
  const Structure& tree = structure(parent, slot_coordinate, slot_curve, follows);
  arrays.single ? run<float>(tree, call) : run<double>(tree, call);
  return ffi::Error::Success();
}

ffi::Error call_paths(ffi::RemainingArgs args, ffi::RemainingRets rets, ffi::Span<const std::int64_t> rows,
                      ffi::Span<const std::int64_t> first_wrap, std::int64_t as_opensim) {
  Arrays arrays;
  if (ffi::Error error = decode(args, rets, {PATH_RANK, PATH_RANK + PATH_NUMBERS}, arrays); error.failure()) return error;
  PathLayout layout;
  layout.rows.assign(rows.begin(), rows.end());
  layout.first_wrap.assign(first_wrap.begin(), first_wrap.end());
  layout.as_opensim = as_opensim != 0;
  layout.points = int(arrays.dimensions[1].back());
  layout.curves = int(arrays.dimensions[12].back());
  layout.coordinates = int(arrays.dimensions[7].back());
  layout.bodies = int(arrays.dimensions[7].end()[-2]);
  arrays.single ? lay_paths<float>(layout, arrays) : lay_paths<double>(layout, arrays);
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

XLA_FFI_DEFINE_HANDLER(paths_handler, call_paths,
                       ffi::Ffi::Bind()
                           .RemainingArgs()
                           .RemainingRets()
                           .Attr<ffi::Span<const std::int64_t>>("rows")
                           .Attr<ffi::Span<const std::int64_t>>("first_wrap")
                           .Attr<std::int64_t>("as_opensim"));

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
  PyModule_AddObject(module, "dynamics", PyCapsule_New(reinterpret_cast<void*>(handler), nullptr, nullptr));
  PyModule_AddObject(module, "paths", PyCapsule_New(reinterpret_cast<void*>(paths_handler), nullptr, nullptr));
  PyModule_AddObject(module, "supported", PyBool_FromLong(supported()));
  return module;
}
