"""Updates of scans: of random numbers without being passed on, of other shared variables only where they are."""

import numpy as np
from numpy.testing import assert_array_equal

from lstm_cli import theano
from lstm_cli.theano.tensor.shared_randomstreams import RandomStreams

T = theano.tensor
X = np.ones((2, 3))


def test_a_loop_in_a_loop_draws_anew_whether_its_updates_are_passed_or_dropped():
    x, got = T.matrix(), []
    for passed in (True, False):
        streams = RandomStreams(1)

        def step(row, streams=streams, passed=passed):
            sums, updates = theano.scan(
                lambda e, total: total + e * streams.uniform(()), sequences=row, outputs_info=T.zeros(())
            )
            return (sums[-1], updates) if passed else sums[-1]

        sums, updates = theano.scan(step, sequences=x)
        function = theano.function([x], sums, updates=updates if passed else None)
        got.append([function(X), function(X)])
    assert len(np.unique(got[0])) == 4
    assert_array_equal(*got)


def test_a_counter_counts_only_in_functions_that_are_given_its_updates():
    counter, x = theano.shared(0), T.vector()
    doubled, updates = theano.scan(lambda x: ([2 * x], {counter: counter + 1}), sequences=x)
    assert_array_equal(theano.function([x], doubled)([1.0, 2.0]), [2, 4])
    assert counter.get_value() == 0
    theano.function([x], doubled, updates=updates)([1.0, 2.0])
    assert counter.get_value() == 2
