// What a body's tree looks like, whatever its sizes: made once, kept for the calls that follow.

#include <cstdlib>
#include <cstring>
#include <new>

struct Structure {
  std::vector<int> parent;                        // of every body, before it; -1 is the ground
  std::vector<int> slot_coordinate, slot_curve;   // of every slot (body * 6); -1 is none
  std::vector<int> follows;                       // free coordinate that every coordinate follows; -1 is locked
  int bodies = 0, coordinates = 0, free = 0;
  std::vector<int> own, first;                    // coordinates by body: own[first[body]] ... own[first[body + 1] - 1]
  std::vector<std::vector<int>> pattern;          // columns before k where row k of the factor is not zero

  void derive() {
    bodies = int(parent.size());
    coordinates = int(follows.size());
    free = 0;
    for (int f : follows) free = std::max(free, f + 1);
    own.clear();
    first.assign(1, 0);
    for (int i = 0; i < bodies; ++i) {
      std::vector<int> found;
      for (int k = 0; k < 6; ++k)
        if (const int c = slot_coordinate[6 * i + k]; c >= 0) found.push_back(c);
      std::sort(found.begin(), found.end());
      own.insert(own.end(), found.begin(), std::unique(found.begin(), found.end()));
      first.push_back(int(own.size()));
    }
    find_pattern();
  }

 private:
  // Zeros of the folded mass matrix, and of its factor, which may have fewer where coordinates of several branches are one.
  void find_pattern() {
    std::vector<char> filled(free * free, 0);
    for (int i = 0; i < bodies; ++i)
      for (int a = first[i]; a < first[i + 1]; ++a)
        for (int j = i; j >= 0; j = parent[j])
          for (int b = first[j]; b < first[j + 1]; ++b) {
            const int c = follows[own[a]], d = follows[own[b]];
            if (c >= 0 && d >= 0 && c != d) filled[std::max(c, d) * free + std::min(c, d)] = 1;
          }
    pattern.assign(free, {});
    for (int k = free - 1; k >= 0; --k) {
      for (int i = 0; i < k; ++i)
        if (filled[k * free + i]) pattern[k].push_back(i);
      for (int i : pattern[k])
        for (int j : pattern[k])
          if (j < i) filled[i * free + j] = 1;
    }
  }
};

// Memory on the boundaries that wide registers want.
template <class V>
struct Aligned {
  typedef V value_type;
  Aligned() = default;
  template <class U>
  Aligned(const Aligned<U>&) {}
  V* allocate(std::size_t n) {
    void* found = std::aligned_alloc(64, (n * sizeof(V) + 63) / 64 * 64);
    if (!found) throw std::bad_alloc();
    return static_cast<V*>(found);
  }
  void deallocate(V* p, std::size_t) { std::free(p); }
  bool operator==(const Aligned&) const { return true; }
  bool operator!=(const Aligned&) const { return false; }
};
