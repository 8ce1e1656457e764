"""Pooling against loops over windows, its gradients against differences, and patches as rows."""

import re
from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pytensor.gradient import verify_grad

from lstm_cli import theano
from lstm_cli.theano.sandbox import neighbours as old_neighbours
from lstm_cli.theano.tensor.nnet.neighbours import images2neibs, neibs2images
from lstm_cli.theano.tensor.signal import downsample, pool
from lstm_cli.theano_lstm.theano.modes import fast_start

T = theano.tensor
rng = np.random.default_rng(4)
# ws, stride, pad, ignore_border
PLACES = [
    ((2, 3), None, (0, 0), True),
    ((2, 3), None, (0, 0), False),
    ((3, 2), (2, 1), (1, 1), True),
    ((3, 3), (2, 1), (0, 0), False),
    ((2, 1), (3, 4), (0, 0), False),
    ((4, 3), (2, 2), (2, 0), True),
]

CASES = [
    *(("max", place) for place in PLACES),
    *(("sum", place) for place in PLACES[1:4]),
    *(("average_inc_pad", place) for place in PLACES[2::3]),
    *(("average_exc_pad", place) for place in PLACES[2:]),
]


def numbers(*shape):
    return rng.normal(size=shape)


def value(outputs):
    """What a variable, or each of a list, is."""
    return theano.function([], outputs)()


def window_starts(length, size, step, ignore_border):
    """Where windows begin: every step, while they begin inside and, at the border, have something new or fit."""
    if ignore_border:
        return [start for start in range(0, length, step) if start + size <= length]
    starts = [0]
    while starts[-1] + max(size, step) < length:
        starts.append(starts[-1] + step)
    return starts


def by_windows(images, mode, ws, stride, pad, ignore_border):
    """One window after the other, of the elements that lie in the image or its padding."""
    padded = np.pad(images, [(0, 0)] * (images.ndim - 2) + [(p, p) for p in pad], constant_values=np.nan)
    sizes = zip(padded.shape[-2:], ws, stride or ws, strict=True)
    rows, columns = (window_starts(*size, ignore_border) for size in sizes)
    outputs = np.empty((*images.shape[:-2], len(rows), len(columns)))
    for (i, row), (j, column) in product(enumerate(rows), enumerate(columns)):
        window = padded[..., row : row + ws[0], column : column + ws[1]]
        window = window.reshape(*window.shape[:-2], -1)
        total = np.nansum(window, axis=-1)
        counts = {"sum": 1, "average_inc_pad": window.shape[-1], "average_exc_pad": (~np.isnan(window)).sum(axis=-1)}
        outputs[..., i, j] = np.nanmax(window, axis=-1) if mode == "max" else total / counts[mode]
    return outputs


@pytest.mark.parametrize(("mode", "place"), CASES, ids=str)
def test_pool_2d_its_gradient_and_that_of_the_gradient(mode, place):
    options = dict(zip(("ws", "stride", "pad", "ignore_border"), place, strict=True), mode=mode)
    images, direction, step = numbers(2, 7, 8), numbers(2, 7, 8), 1e-6
    x = T.dtensor3()
    pooled = pool.pool_2d(x, **options)
    cost = (pooled**3).sum()
    gradient = T.grad(cost, x)
    second_cost = (gradient**2).sum()
    evaluate = theano.function([x], [pooled, T.stack([cost, second_cost]), gradient, T.grad(second_cost, x)])
    found, _, *gradients = evaluate(images)
    assert_allclose(found, by_windows(images, **options), rtol=1e-12)
    slope = (evaluate(images + step * direction)[1] - evaluate(images - step * direction)[1]) / (2 * step)
    assert_allclose([(gradient * direction).sum() for gradient in gradients], slope, rtol=1e-6)


def test_leading_axes():
    arrays = [numbers(5, 6), numbers(2, 1, 3, 5, 6)]
    found = value([pool.pool_2d(images, (2, 3), True, mode="sum") for images in arrays])
    for pooled, images in zip(found, arrays, strict=True):
        assert_allclose(pooled, images[..., :4, :].reshape(*images.shape[:-2], 2, 2, 2, 3).sum(axis=(-3, -1)))


def test_every_maximum_of_a_window_gets_its_gradient():
    images = np.array([[1.0, 1, 0, 2], [0, 1, 0, 2]])
    x = T.dmatrix()
    largest = pool.pool_2d(x, (2, 2), ignore_border=True)
    gradient = theano.function([x], T.grad((largest * np.array([[3.0, 5]])).sum(), x))
    assert_array_equal(gradient(images), [[3, 3, 0, 5], [0, 3, 0, 5]])
    same = theano.function([x], pool.max_pool_2d_same_size(x, (2, 2)))(images[:, :3])
    assert_array_equal(same, [[1, 1, 0], [0, 1, 0]])


def test_three_axes():
    images = numbers(2, 4, 4, 6)
    found = value(pool.pool_3d(images, (2, 2, 3), ignore_border=True))
    assert_allclose(found, images.reshape(2, 2, 2, 2, 2, 2, 3).max(axis=(2, 4, 6)))
    verify_grad(lambda x: pool.pool_3d(x, (2, 3, 2), False, (1, 2, 2), mode="sum"), [images], mode=fast_start())


def test_windows_that_are_variables():
    images, place = numbers(2, 5, 6), [T.lvector() for _ in range(3)]
    x = T.dtensor3()
    y = pool.pool_2d(x, place[0], True, place[1], place[2], mode="average_exc_pad")
    ws, stride, pad = (3, 2), (2, 1), (1, 0)
    found = theano.function([x, *place], [y, T.grad(y.sum(), x)])(images, ws, stride, pad)
    assert_allclose(found[0], by_windows(images, "average_exc_pad", ws, stride, pad, True))
    assert_allclose(found[1].sum(), found[0].size, rtol=1e-12)


def test_the_older_names():
    images = numbers(3, 5, 7)
    expected = value(pool.pool_2d(images, (2, 3)))  # without a word on the border, partial windows count
    assert expected.shape == (3, 3, 3)
    older = [downsample.max_pool_2d(images, (2, 3)), downsample.DownsampleFactorMax((2, 3))(images)]
    for found in value([*older, pool.pool_2d(images, ds=(2, 3), st=(2, 3), padding=(0, 0))]):
        assert_array_equal(found, expected)
    assert T.signal.pool.pool_2d is pool.pool_2d
    op = pool.Pool(ignore_border=True, mode="sum", ndim=2)
    outputs = [op(images, (2, 3)), pool.pool_2d(images, (2, 3), ignore_border=True, mode="sum")]
    assert all(isinstance(output.owner.op, pool.Pool) for output in outputs)
    assert_array_equal(*value(outputs))


def test_types_and_shapes_that_are_known():
    images = T.TensorType("float32", (None, 3, 8, None))()
    y = T.signal.pool.pool_2d(images, (2, 2), ignore_border=True, mode="average_exc_pad")
    assert (y.type.dtype, y.type.shape) == ("float32", (None, 3, 4, None))
    gradient = T.grad(y.sum(), images)
    found = theano.function([images], gradient)(np.ones((2, 3, 8, 6), "float32"))
    assert (found.dtype, found.shape, gradient.type.shape[1:3]) == ("float32", (2, 3, 8, 6), (3, 8))
    integers = np.arange(8).reshape(2, 4) - 9
    assert_array_equal(value(pool.pool_2d(integers, (3, 3), True, (2, 2), (1, 1))), [[-4, -2]])
    assert value(pool.pool_2d(np.ones((2, 5)), (3, 3), True)).shape == (0, 1)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, ValueError, "pool_2d: ws: expected 2 numbers, the size of a window; got none"),
        ({"ws": (2, 2), "ds": (2, 2)}, ValueError, "pool_2d: ws and ds are the same; give ws"),
        ({"ws": (2, 2), "stride": (1, 1), "st": (1, 1)}, ValueError, "stride and st are the same; give stride"),
        ({"ws": (2, 2), "pad": (1, 1), "padding": (1, 1)}, ValueError, "pad and padding are the same; give pad"),
        ({"ws": (2, 2, 2)}, ValueError, "pool_2d: expected a number for each of 2 axes, got 3"),
        ({"ws": (2.0, 2.0)}, TypeError, "expected window, stride and padding as 2 integers each"),
        ({"ws": (2, 0)}, ValueError, "expected a window and a stride of 1 or more along each axis, got (2, 0)"),
        ({"ws": (2, 2), "pad": (2, 0)}, ValueError, "less than the window (2, 2), got (2, 0)"),
        ({"ws": (2, 2), "pad": (1, 0)}, NotImplementedError, "is offered with ignore_border=True only"),
        ({"ws": (2, 2), "mode": "mean"}, ValueError, "mode: expected one of max, sum, average_inc_pad"),
    ],
)
def test_arguments_that_mean_nothing(arguments, error, message):
    with pytest.raises(error, match=re.escape(message)):
        pool.pool_2d(T.dtensor4(), **arguments)
    with pytest.raises(NotImplementedError, match="expected images of 2 axes or more, got 1"):
        pool.pool_2d(T.dvector(), (2, 2))


@pytest.mark.parametrize(
    ("mode", "shape", "step"),
    [
        ("valid", (2, 3), None),
        ("valid", (2, 2), (2, 1)),
        ("ignore_borders", (3, 4), None),
        ("ignore_borders", (3, 2), (2, 3)),
        ("half", (2, 3), (1, 1)),
        ("full", (3, 2), (1, 2)),
        ("wrap_centered", (3, 3), (2, 3)),
    ],
)
def test_images2neibs(mode, shape, step):
    images = numbers(2, 2, 4, 6)
    margins = {"half": [k // 2 for k in shape], "full": [k - 1 for k in shape]}
    centred = {"wrap_centered": [k // 2 for k in shape]}.get(mode, margins.get(mode, [0, 0]))
    kind = {"mode": "wrap"} if mode == "wrap_centered" else {}
    padded = np.pad(images, [(0, 0), (0, 0), *((k, k) for k in centred)], **kind)
    starts = [range(0, length - k + 1, s) for length, k, s in zip(padded.shape[2:], shape, step or shape, strict=True)]
    expected = [
        padded[n, c, row : row + shape[0], column : column + shape[1]].ravel()
        for n, c, row, column in product(range(2), range(2), *starts)
    ]
    x = T.dtensor4()
    y = images2neibs(x, shape, step, mode=mode)
    gradients = [T.grad((y**2).sum(), x), T.grad(y.sum(), x)]
    found, gradient, counts = theano.function([x], [y, *gradients])(images)
    assert_array_equal(found, expected)
    assert_allclose(gradient, 2 * counts * images)
    if step is None:
        back = value(neibs2images(found, shape, images.shape, mode=mode))
        assert_array_equal(back, images * counts)


def test_patches_that_do_not_fit():
    x = T.dtensor4()
    with pytest.raises(TypeError, match="the patches do not fill the image"):
        theano.function([x], images2neibs(x, (2, 2)))(numbers(1, 1, 4, 5))
    with pytest.raises(TypeError, match="expected patches of odd size"):
        theano.function([x], images2neibs(x, (2, 2), mode="wrap_centered"))(numbers(1, 1, 4, 5))
    with pytest.raises(NotImplementedError, match="mode: expected one of valid, half, full"):
        images2neibs(x, (2, 2), mode="same")
    assert old_neighbours.images2neibs is images2neibs


def test_window_and_stride_made_of_the_image_and_no_padding():
    images = T.tensor4()
    rows, columns = images.shape[2:]
    ws, stride = ((rows + 1) // 2, (columns + 1) // 2), (rows // 2, columns // 2)
    pooled = pool.pool_2d(images, ws=ws, stride=stride, pad=None, ignore_border=True)
    value = np.arange(30.0).reshape(1, 1, 5, 6)
    found, gradient = theano.function([images], [pooled.flatten(3), T.grad(pooled.sum(), images)])(value)
    assert_allclose(found, [[[14, 17, 26, 29]]])
    assert gradient.sum() == 4
