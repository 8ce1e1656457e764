"""Convolution against scipy and against sums over single elements; its gradients against differences."""

import re
from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pytensor.gradient import verify_grad
from scipy import signal

from lstm_cli import theano
from lstm_cli.theano.tensor.nnet import abstract_conv, conv, conv2d, conv2d_transpose, conv3d2d
from lstm_cli.theano.tensor.signal import conv as single
from lstm_cli.theano_lstm.images.geometry import geometry
from lstm_cli.theano_lstm.images.layout import Layout
from lstm_cli.theano_lstm.theano.modes import fast_start

T = theano.tensor
rng = np.random.default_rng(3)

# border_mode, subsample, filter_dilation, num_groups, filter_flip
OPTIONS = [
    ("valid", (1, 1), (1, 1), 1, True),
    ("full", (1, 1), (1, 1), 1, True),
    ("half", (2, 1), (1, 1), 1, False),
    (2, (1, 3), (1, 1), 2, True),
    ((0, 1), (2, 2), (2, 1), 1, True),
    (((1, 2), 0), (3, 2), (1, 2), 2, False),
    ("full", (2, 3), (2, 2), 2, True),
    ("half", (1, 1), (3, 1), 1, True),
]


def numbers(*shape):
    return rng.normal(size=shape)


def value(outputs):
    """What a variable, or each of a list, is."""
    return theano.function([], outputs)()


def check_gradient(function, *arrays):
    verify_grad(function, arrays, mode=fast_start())


def described(options):
    names = ("border_mode", "subsample", "filter_dilation", "num_groups", "filter_flip")
    return dict(zip(names, options, strict=True))


def borders(mode, extents):
    """The zeros before and after each axis."""
    named = {"valid": lambda extent: 0, "full": lambda extent: extent - 1, "half": lambda extent: extent // 2}
    if isinstance(mode, str):
        return [(named[mode](extent),) * 2 for extent in extents]
    sides = mode if isinstance(mode, tuple) else (mode,) * len(extents)
    return [side if isinstance(side, tuple) else (side, side) for side in sides]


def by_correlation(x, w, border_mode, subsample, filter_dilation, num_groups, filter_flip):
    """One image and one channel after the other, by scipy."""
    spread = np.zeros((*w.shape[:2], *((k - 1) * d + 1 for k, d in zip(w.shape[2:], filter_dilation, strict=True))))
    spread[:, :, :: filter_dilation[0], :: filter_dilation[1]] = w[:, :, ::-1, ::-1] if filter_flip else w
    padded = np.pad(x, [(0, 0), (0, 0), *borders(border_mode, spread.shape[2:])])
    channels, filters = w.shape[1], len(w) // num_groups
    outputs = [
        [
            sum(
                signal.correlate2d(image[f // filters * channels + c], spread[f, c], mode="valid")
                for c in range(channels)
            )
            for f in range(len(w))
        ]
        for image in padded
    ]
    return np.array(outputs)[:, :, :: subsample[0], :: subsample[1]]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_conv2d(options):
    x, w, images, filters = T.dtensor4(), T.dtensor4(), numbers(2, 4, 8, 9), numbers(6, 4 // options[3], 3, 2)
    found = theano.function([x, w], conv2d(x, w, **described(options)))(images, filters)
    assert_allclose(found, by_correlation(images, filters, **described(options)), rtol=1e-12, atol=1e-12)


def test_a_true_convolution_is_that_of_scipy():
    images, filters = numbers(5, 6), numbers(3, 2)
    for mode in ("valid", "full"):
        found = value(conv2d(images[None, None], filters[None, None], border_mode=mode))
        assert_allclose(found[0, 0], signal.convolve2d(images, filters, mode=mode))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_gradients_of_conv2d_and_theirs(options):
    images, filters = numbers(2, 2, 5, 6), numbers(2, 2 // options[3], 3, 2)
    x, w = T.dtensor4(), T.dtensor4()
    y = conv2d(x, w, **described(options))
    first, second = T.grad((y**2).sum() / 2, [x, w])
    further = T.grad((first * 0.5).sum() + (second**2).sum(), [x, w])
    evaluate = theano.function([x, w], [y, first, second, *further])
    _, *gradients = evaluate(images, filters)
    step = 1e-6

    def cost(x_value, w_value):
        above, to_images, to_filters, *_ = evaluate(x_value, w_value)
        return np.array([(above**2).sum() / 2, (to_images * 0.5).sum() + (to_filters**2).sum()])

    for which, arrays in enumerate((images, filters)):
        direction = numbers(*arrays.shape)
        ahead, behind = ([images, filters] for _ in range(2))
        ahead[which], behind[which] = arrays + step * direction, arrays - step * direction
        slope = (cost(*ahead) - cost(*behind)) / (2 * step)
        assert_allclose([(gradients[which] * direction).sum(), (gradients[2 + which] * direction).sum()], slope, 1e-6)


def test_large_batches_are_treated_in_parts(monkeypatch):
    images, filters = numbers(7, 3, 6, 5), numbers(4, 3, 2, 2)
    x, w = T.dtensor4(), T.dtensor4()
    y = conv2d(x, w, border_mode="half")
    evaluate = theano.function([x, w], [y, *T.grad((y**3).sum(), [x, w])])
    whole = evaluate(images, filters)
    monkeypatch.setattr("lstm_cli.theano_lstm.images.layout.COLUMNS", 1000)
    assert len(list(Layout.of(geometry(2, "half"), images.shape, filters.shape).parts())) > 1
    for parts, at_once in zip(evaluate(images, filters), whole, strict=True):
        assert_allclose(parts, at_once, rtol=1e-12)


def test_images_of_three_axes_and_of_one():
    images, filters = numbers(2, 3, 4, 5, 3), numbers(2, 3, 2, 3, 1)
    found = value(abstract_conv.conv3d(images, filters))
    single_image = sum(signal.convolve(images[1, c], filters[0, c], mode="valid") for c in range(3))
    assert_allclose(found[1, 0], single_image)
    check_gradient(lambda x, w: abstract_conv.conv3d(x, w, border_mode="half", subsample=(2, 1, 1)), images, filters)
    films, moving = numbers(2, 5, 3, 6, 6), numbers(4, 2, 3, 3, 2)
    found = value(conv3d2d.conv3d(films, moving, (2, 5, 3, 6, 6), (4, 2, 3, 3, 2), border_mode="full"))
    expected = sum(signal.convolve(films[1, :, c], moving[2, :, c]) for c in range(3))
    assert_allclose(found[1, :, 2], expected)
    sequences, causal = numbers(2, 3, 7), numbers(2, 3, 3)
    found = value(abstract_conv.causal_conv1d(sequences, causal, (2, 3, 3), filter_dilation=2))
    spread = np.zeros((2, 3, 5))
    spread[:, :, ::2] = causal
    expected = [[sum(np.convolve(s[c], f[c])[:7] for c in range(3)) for f in spread] for s in sequences]
    assert_allclose(found, expected)


def test_unshared_filters():
    images, filters = numbers(2, 4, 4, 5), numbers(2, 3, 2, 2, 2, 4)
    options = {"num_groups": 2, "unshared": True}
    found = value(conv2d(images, filters, **options))
    for n, f, row, column in product(range(2), range(2), range(3), range(2)):
        patch = images[n, 2 * f : 2 * f + 2, row : row + 2, column : column + 4]
        assert_allclose(found[n, f, row, column], (patch * filters[f, row, column, :, ::-1, ::-1]).sum())
    check_gradient(lambda x, w: conv2d(x, w, **options), images, filters)
    with pytest.raises(ValueError, match="expected unshared filters for outputs of size 3 x 2, got some for 2 x 2"):
        conv2d(images, filters[:, :2], **options)


def test_gradients_as_functions():
    images, filters = numbers(2, 4, 7, 6), numbers(6, 2, 3, 2)
    options = {"border_mode": (1, 2), "subsample": (2, 3), "num_groups": 2}
    x, w = T.dtensor4(), T.dtensor4()
    y = conv2d(x, w, **options)
    above = numbers(*theano.function([x, w], y)(images, filters).shape)
    expected = theano.function([x, w], T.grad((y * above).sum(), [x, w]))(images, filters)
    rows, columns = T.lscalars(2)
    to_images = abstract_conv.conv2d_grad_wrt_inputs(above, w, (None, 4, rows, columns), **options)
    to_filters = abstract_conv.conv2d_grad_wrt_weights(x, above, (None, None, 3, 2), **options)
    evaluate = theano.function([x, w, rows, columns], [to_images, to_filters])
    for ours, theirs in zip(evaluate(images, filters, 7, 6), expected, strict=True):
        assert_allclose(ours, theirs)
    for size, message in (((9, 6), "of 2 x 6 x 5 x 3"), ((7, 9), "of 2 x 6 x 4 x 4")):
        with pytest.raises(ValueError, match=f"conv2d: gradient: expected outputs .*{message}"):
            evaluate(images, filters, *size)


def test_conv2d_transpose_enlarges():
    images, filters = numbers(2, 3, 4, 4), numbers(3, 2, 3, 3)
    found = value(conv2d_transpose(images, filters, (2, 2, 9, 9), input_dilation=(2, 2), filter_flip=False))
    expected = np.zeros((2, 2, 9, 9))
    for row, column in product(range(4), range(4)):
        expected[:, :, 2 * row : 2 * row + 3, 2 * column : 2 * column + 3] += np.einsum(
            "nf,fcij->ncij", images[:, :, row, column], filters
        )
    assert_allclose(found, expected)


def test_separable_convolution():
    images, apart, together = numbers(2, 3, 5, 5), numbers(6, 1, 2, 3), numbers(4, 6, 1, 1)
    found = value(abstract_conv.separable_conv2d(images, apart, together, 3, border_mode="full"))
    between = value(conv2d(images, apart, border_mode="full", num_groups=3))
    assert_allclose(found, np.einsum("nchw,fc->nfhw", between, together[:, :, 0, 0]))


@pytest.mark.parametrize("ratio", [2, 3])
def test_bilinear_upsampling(ratio):
    images = numbers(2, 3, 3, 4)
    found = value(abstract_conv.bilinear_upsampling(images, ratio))
    expected = images
    for axis in (2, 3):
        places = (np.arange(ratio * images.shape[axis]) - (ratio - 1) // 2) / ratio
        expected = np.apply_along_axis(
            lambda line, at: np.interp(at, np.arange(len(line)), line), axis, expected, places
        )
    assert_allclose(found, expected, rtol=1e-6)
    assert_allclose(value(abstract_conv.bilinear_kernel_2D(2)), np.outer([0.5, 1, 0.5], [0.5, 1, 0.5]))


def test_the_older_interfaces():
    images, filters = numbers(2, 5, 6), numbers(3, 2, 2)
    pairs = [(images, filters), (images, filters[0]), (images[0], filters), (images[0], filters[0])]
    both, *fewer = value([single.conv2d(*pair, border_mode="full") for pair in pairs])
    assert_allclose(both[1, 2], signal.convolve2d(images[1], filters[2]))
    for found, part in zip(fewer, (both[:, 0], both[0], both[0, 0]), strict=True):
        assert_allclose(found, part)
    x, w = T.dtensor4(), T.dtensor4()
    old = conv.conv2d(x, w, image_shape=(500, 1, None, None), filter_shape=(3, 1, 2, 2), unroll_kern=1)
    assert_allclose(
        theano.function([x, w], old)(images[:, None], filters[:, None]), value(single.conv2d(images, filters))
    )
    many, one = T.dtensor3(), T.dmatrix()
    stated = single.conv2d(many, one, image_shape=(2, 5, 6), filter_shape=(2, 2))
    found = theano.function([many, one], stated)(images, filters[0])
    assert_allclose(found[1], signal.convolve2d(images[1], filters[0], mode="valid"))
    with pytest.raises(ValueError, match="conv2d: "):
        single.conv2d(many, one, image_shape=(2, 1, 6), filter_shape=(2, 2))
    with pytest.raises(TypeError, match="imshp_logical: not offered"):
        conv.conv2d(x, w, imshp_logical=(1, 2, 3))
    with pytest.warns(UserWarning, match="conv2d: version: no effect"):
        conv2d(x, w, version=3)


def test_types_and_shapes_that_are_known():
    x, w = T.TensorType("float32", (None, 3, 8, 9))(), T.TensorType("float32", (4, 3, 3, None))()
    y = conv2d(x, w, subsample=(2, 1))
    assert (y.type.dtype, y.type.shape) == ("float32", (None, 4, 3, None))
    to_images, to_filters = T.grad(y.sum(), [x, w])
    assert (to_images.type.shape, to_filters.type.dtype) == ((None, 3, 8, 9), "float32")
    assert to_filters.type.shape == (4, 3, 3, None)
    evaluate = theano.function([x, w], [y, to_images, to_filters, y.shape])
    found = evaluate(np.ones((2, 3, 8, 9), "float32"), np.ones((4, 3, 3, 2), "float32"))
    assert [a.dtype.name for a in found[:3]] == ["float32"] * 3
    assert_array_equal(found[3], [2, 4, 3, 8])
    assert conv2d(x, T.dtensor4()).type.dtype == conv2d(T.tensor4(dtype="int64"), w).type.dtype == "float64"
    assert abstract_conv.get_conv_output_shape((9, 3, 8, None), (4, 3, 3, 3), "half", (2, 1)) == (9, 4, 4, None)


@pytest.mark.parametrize(
    ("images", "filters", "options", "message"),
    [
        ((1, 3, 5, 5), (2, 4, 3, 3), {}, "expected filters of 3 channels, as the images have 3; got filters of 4"),
        ((1, 4, 5, 5), (2, 4, 3, 3), {"num_groups": 2}, "filters of 2 channels, as the images have 4 in 2 groups"),
        ((1, 3, 5, 5), (2, 1, 3, 3), {"num_groups": 2}, "3 channels of the images cannot be divided into num_groups=2"),
        ((1, 1, 5, 5), (2, 1, 3, 6), {}, "a filter of length 6 (dilated: 6) does not fit into an image of length 5"),
        ((1, 1, 5, 5), (2, 1, 3, 3), {"filter_dilation": (3, 1)}, "length 3 (dilated: 7) does not fit"),
    ],
)
def test_shapes_that_do_not_fit(images, filters, options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        conv2d(np.zeros(images), np.zeros(filters), **options)
    x, w = T.dtensor4(), T.dtensor4()
    with pytest.raises(ValueError, match=re.escape(message)):
        conv2d(x, w, images, filters, **options)
    run = theano.function([x, w], conv2d(x, w, **options))
    with pytest.raises(ValueError, match=re.escape(message)):
        run(np.zeros(images), np.zeros(filters))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"border_mode": "same"}, "border_mode: expected 'valid', 'full', 'half', a width of 0 or more"),
        ({"border_mode": (1, 2, 3)}, "or 2 widths or pairs of widths; got (1, 2, 3)"),
        ({"border_mode": -1}, "got -1"),
        ({"subsample": (1,)}, "subsample: expected 2 numbers of 1 or more, got (1,)"),
        ({"subsample": 2}, "subsample: expected 2 numbers of 1 or more, got 2"),
        ({"filter_dilation": (0, 1)}, "filter_dilation: expected 2 numbers of 1 or more, got (0, 1)"),
        ({"num_groups": 0}, "num_groups: expected 1 or more, got 0"),
        ({"input_shape": (1, 2, 3)}, "input_shape: expected 4 sizes, got 3"),
        ({"input_shape": (1, 1, 3, 3), "image_shape": (1, 1, 3, 3)}, "image_shape is the older name of input_shape"),
        ({"filter_shape": (1, 1, 4, 3)}, "filter_shape=(1, 1, 4, 3) contradicts the variable, whose shape is"),
    ],
)
def test_options_that_mean_nothing(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        conv2d(T.dtensor4(), np.zeros((1, 1, 2, 2)), **options)
    with pytest.raises(TypeError, match="conv2d: images: expected a variable of 4 axes, got one of 2"):
        conv2d(T.dmatrix(), T.dtensor4())
