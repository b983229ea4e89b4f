"""The nearest points so far, and the order in which scikit-learn leaves equal ones."""

from __future__ import annotations


class Heap:
    """A heap of fixed size, with the farthest point on top."""

    def __init__(self, size: int, most: float) -> None:
        self.values, self.numbers = [most] * size, [0] * size

    @classmethod
    def of(cls, values: list[float], numbers: list[int]) -> Heap:
        """Return a list of points, to be sorted."""
        made = cls(0, 0.0)
        made.values, made.numbers = values, numbers
        return made

    def push(self, value: float, number: int) -> None:
        """Put a point in the place of the farthest one, unless it is as far."""
        values, numbers = self.values, self.numbers
        if value >= values[0]:
            return
        at = 0
        while (left := 2 * at + 1) < len(values):
            right = left + 1
            up = left if right >= len(values) or values[left] >= values[right] else right
            if not value < values[up]:
                break
            values[at], numbers[at] = values[up], numbers[up]
            at = up
        values[at], numbers[at] = value, number

    def sort(self) -> None:
        """Put the nearest first."""
        size = len(self.values)
        self._introsort(0, size, 2 * (size.bit_length() - 1))

    def _swap(self, a: int, b: int) -> None:
        v, n = self.values, self.numbers
        v[a], v[b], n[a], n[b] = v[b], v[a], n[b], n[a]

    def _introsort(self, begin: int, end: int, depth: int) -> None:
        v = self.values
        while end - begin > 15:
            if depth <= 0:
                self._heapsort(begin, end)
                return
            depth -= 1
            pivot = self._median_last(begin, end)
            i, j = begin + 1, end - 2
            while True:
                while i <= j and v[i] < pivot:
                    i += 1
                while i <= j and v[j] > pivot:
                    j -= 1
                if i >= j:
                    break
                self._swap(i, j)
                i, j = i + 1, j - 1
            self._swap(i, end - 1)
            self._introsort(begin, i, depth)
            begin = i + 1
        # A stable sort, as that by insertion is.
        order = sorted(range(begin, end), key=v.__getitem__)
        v[begin:end] = [v[k] for k in order]
        self.numbers[begin:end] = [self.numbers[k] for k in order]

    def _median_last(self, begin: int, end: int) -> float:
        """Bring the median of three to the end, the least to the front."""
        v, last, middle = self.values, end - 1, begin + (end - begin) // 2
        if v[begin] > v[last]:
            self._swap(begin, last)
        if v[last] > v[middle]:
            self._swap(last, middle)
            if v[begin] > v[last]:
                self._swap(begin, last)
        return v[last]

    def _heapsort(self, begin: int, end: int) -> None:
        n = end - begin
        for start in range((n - 2) // 2, -1, -1):
            self._sift_down(begin, start, n)
        for last in range(n - 1, 0, -1):
            self._swap(begin, begin + last)
            self._sift_down(begin, 0, last)

    def _sift_down(self, begin: int, root: int, end: int) -> None:
        v = self.values
        while True:
            child, most = root * 2 + 1, root
            if child < end and v[begin + most] < v[begin + child]:
                most = child
            if child + 1 < end and v[begin + most] < v[begin + child + 1]:
                most = child + 1
            if most == root:
                return
            self._swap(begin + root, begin + most)
            root = most
