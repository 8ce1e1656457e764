import numba
import numpy as np
import pytest

from lstm_cli.kernels.recurrent.layout import plan
from lstm_cli.kernels.runtime.memory import aligned
from lstm_cli.kernels.runtime.tasks import task_kernel
from lstm_cli.kernels.simd import packing, tile
from lstm_cli.kernels.simd.tile import panel_columns

TYPES = ["float32", "float64"]


@numba.njit
def multiply(a, a_row, a_step, panels, depth, start, start_row, c, c_row, rows, count, backwards):
    zero = np.int64(0)
    tile.multiply(
        a, zero, a_row, a_step, panels, zero, depth, start, zero, start_row, c, zero, c_row, rows, count, backwards
    )


@numba.njit
def pack_columns(matrix, stride, depth, rows, shift, panels, count):
    zero = np.int64(0)
    width = tile.panel_width(panels)
    for p in range(count):
        packing.pack_columns(matrix, zero, stride, depth, p * width, rows, shift, panels, p * depth * width)


@numba.njit
def pack_rows(matrix, stride, depth, columns, shift, panels, count):
    width = tile.panel_width(panels)
    for p in range(count):
        packing.pack_rows(matrix, p * width, stride, depth, columns - p * width, shift, panels, p * depth * width)


@numba.njit
def write_transposed(source, stride, rows, shift, columns, first, last, target, target_stride):
    zero = np.int64(0)
    packing.write_transposed(source, zero, stride, rows, shift, columns, first, last, target, zero, target_stride)


def packed(right):
    """Pack (depth, columns) as the kernels do."""
    depth, columns = right.shape
    width = panel_columns(right.dtype)
    count = -(-columns // width)
    panels = aligned(count * depth * width, right.dtype)
    pack_rows(np.ascontiguousarray(right).reshape(-1), columns, depth, columns, 0, panels, count)
    return panels, count


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("turned", [False, True])
def test_products_of_any_number_of_rows(dtype, turned):
    rng = np.random.default_rng(0)
    for rows in (*range(1, 20), 33):
        for depth, columns in ((0, 5), (1, 1), (7, 40), (20, 64), (9, 190)):
            a, right = rng.normal(size=(rows, depth)).astype(dtype), rng.normal(size=(depth, columns)).astype(dtype)
            panels, count = packed(right)
            room = count * panel_columns(right.dtype)
            start = rng.normal(size=(rows, room)).astype(dtype)
            given = np.ascontiguousarray(a.T if turned else a).reshape(-1)
            strides = (1, rows) if turned else (depth, 1)
            for row in (room, 0):  # a start of its own for each row, or one for all
                begun = start[:, :columns] if row else start[:1, :columns]
                expected = begun.astype("float64") + a.astype("float64") @ right.astype("float64")
                for backwards in (0, 1):
                    c = aligned(rows * room, a.dtype).reshape(rows, room)
                    multiply(given, *strides, panels, depth, start.reshape(-1), row, c.reshape(-1), room, rows, count,
                             backwards)  # fmt: skip
                    np.testing.assert_allclose(c[:, :columns], expected, atol=1e-5 if dtype == "float32" else 1e-13)


@pytest.mark.parametrize("dtype", TYPES)
def test_panels_hold_columns_in_rotation_and_zeros_beyond(dtype):
    rng = np.random.default_rng(0)
    width = panel_columns(np.dtype(dtype))
    for rows, depth, extra, shift in ((1, 1, 0, 0), (3, 40, 2, 2), (60, 17, 0, 40), (70, 33, 5, 0)):
        matrix = rng.normal(size=(rows, depth + extra)).astype(dtype)
        count = -(-rows // width)
        panels = aligned(count * depth * width, matrix.dtype)
        panels[:] = np.nan
        pack_columns(matrix.reshape(-1), depth + extra, depth, rows, shift, panels, count)
        columns = panels.reshape(count, depth, width).transpose(1, 0, 2).reshape(depth, -1)
        assert (columns[:, :rows] == np.roll(matrix[:, :depth], -shift, axis=0).T).all()
        assert not columns[:, rows:].any()


@pytest.mark.parametrize("dtype", TYPES)
def test_transposed_sums_land_in_their_rows_and_nowhere_else(dtype):
    rng = np.random.default_rng(0)
    cases = [(1, 1, 0, 1, 0, 0), (5, 60, 0, 60, 40, 3), (33, 60, 32, 60, 40, 1), (20, 70, 32, 64, 0, 9)]
    for rows, columns, first, last, shift, extra in cases:
        source = rng.normal(size=(rows, last - first + 2)).astype(dtype)
        target = np.full((columns, rows + extra), 7.0, dtype)
        expected = target.copy()
        for j in range(first, last):
            expected[(j + shift) % columns, :rows] = source[:, j - first]
        write_transposed(
            source.reshape(-1), source.shape[1], rows, shift, columns, first, last, target.reshape(-1), rows + extra
        )
        assert (target == expected).all()


def test_a_plan_shares_out_the_steps():
    lengths = np.array([1, 9, 3, 9, 4, 2, 7, 5])
    for shards in (1, 2, 3, 8):
        found = plan(lengths.tobytes(), shards)
        made = found.sequences
        assert (np.diff(lengths[made.order]) <= 0).all()
        assert (made.shards[0], made.shards[-1]) == (0, 8)
        sizes = [lengths[made.order[a:b]].sum() for a, b in zip(made.shards, made.shards[1:], strict=False)]
        assert min(sizes) > 0
        assert list(np.cumsum(sizes)) == list(made.packed[1:])
        assert found.largest == np.diff(made.shards).max()
    assert max(sizes) == 9
    even = plan(np.full(32, 100).tobytes(), 2)
    assert list(even.sequences.shards) == [0, 16, 32]


def test_arrays_in_another_order_are_refused():
    @task_kernel
    def nothing(task, tasks, x):
        x[0] = 0.0

    with pytest.raises(ValueError, match="nothing: an array is not C-ordered"):
        nothing(1, np.zeros((3, 4)).T)
