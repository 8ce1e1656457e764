"""Wrong configs with one thing wrong in each, and the exact words of its message."""
# ruff: noqa: E501

OPTIMIZERS = "adadelta, adagrad, adam, adamw, lamb, lars, nadam, rmsprop, sgd"

# What stands after GOOD, from line 2 on, and the one line of the message.
TABLE: list[tuple[str, str]] = [
    (
        "optimizer:\n  name: adm",
        f"c.yaml:3:9: optimizer.name: got 'adm', expected one of {OPTIMIZERS} (did you mean adam?)",
    ),
    ("optimizer: 3", f"c.yaml:2:12: optimizer: got 3, expected one of {OPTIMIZERS}"),
    ("optimizer: {name: [a]}", f"c.yaml:2:19: optimizer.name: got a list, expected one of {OPTIMIZERS}"),
    ("epochs: 5", "c.yaml:2:1: epochs: unknown key (did you mean train.epochs?)"),
    ("train: {epoch: 5}", "c.yaml:2:9: train.epoch: unknown key (did you mean epochs?)"),
    (
        "loss: {xyz: 5}",
        "c.yaml:2:8: loss.xyz: unknown key, expected one of normalize, distance, huber_delta, label_smoothing, class_weight, quantiles, distribution, weights, start, length, weight",
    ),
    (
        "'a b\\e': 1",
        r"c.yaml:2:1: 'a b\\e': unknown key, expected one of seed, threads, precision, data, model, loss, optimizer, train, rollout, track, sweep",
    ),
    (
        "optimizer: {name: adam, rho: 0.9}",
        "c.yaml:2:25: optimizer.rho: unknown key of adam, expected one of name, learning_rate, weight_decay, clip_norm, clip_norm_each, clip_value, rates, beta1, beta2, epsilon",
    ),
    (
        "train: {schedule: {name: cosin}}",
        "c.yaml:2:26: train.schedule.name: got 'cosin', expected one of constant, cosine, linear, exponential, plateau (did you mean cosine?)",
    ),
    (
        "train: {schedule: {name: cosine, factor: 0.5}}",
        "c.yaml:2:34: train.schedule.factor: unknown key of cosine, expected one of name, warmup, final",
    ),
    ("seed: 1\nseed: 2", "c.yaml:3:1: seed: given twice, first in line 2: keep one"),
    ("seed: -1", "c.yaml:2:7: seed: got -1, expected a whole number of 0 or more"),
    ("seed: 1.0", "c.yaml:2:7: seed: got 1.0, expected a whole number of 0 or more"),
    ("seed: true", "c.yaml:2:7: seed: got true, expected a whole number of 0 or more"),
    ("seed:", "c.yaml:2:6: seed: got null, expected a whole number of 0 or more"),
    ("threads: many", "c.yaml:2:10: threads: got 'many', expected auto, or a whole number of 1 or more"),
    ("train: {epochs: '5'}", "c.yaml:2:17: train.epochs: got '5', expected auto, or a whole number of 1 or more"),
    ("train: {epochs: 0}", "c.yaml:2:17: train.epochs: got 0, expected auto, or a whole number of 1 or more"),
    ("train: {bucket: yes}", "c.yaml:2:17: train.bucket: got 'yes', expected true or false"),
    (
        "track: tensorbord",
        "c.yaml:2:8: track: got 'tensorbord', expected one of tensorboard, mlflow (did you mean tensorboard?)",
    ),
    ("track: [mlflow, mlflow]", "c.yaml:2:8: track: a program is listed twice"),
    ("train: [1]", "c.yaml:2:8: train: got a list, expected a mapping of keys to values"),
    (
        "train: {evaluate_every: 500}",
        "c.yaml:2:25: train.evaluate_every: got 500, expected 'epoch', 'N epochs', 'N steps'",
    ),
    (
        "train: {evaluate_every: 10min}",
        "c.yaml:2:25: train.evaluate_every: got '10min', expected 'epoch', 'N epochs', 'N steps'",
    ),
    (
        "train: {checkpoint_every: 0 steps}",
        "c.yaml:2:27: train.checkpoint_every: got '0 steps', expected 'epoch', 'N epochs', 'N steps', or a time such as 10min",
    ),
    (
        "train: {monitor: accuracy}",
        "c.yaml:2:18: train.monitor: got 'accuracy', expected one of valid.loss, valid.accuracy, valid.macro_f1, valid.perplexity, valid.bits, valid.rmse, valid.mae, valid.r2, valid.pinball, valid.nll, valid.micro_f1, valid.frame_accuracy, valid.accuracy.COLUMN, valid.macro_f1.COLUMN, valid.rmse.COLUMN, valid.mae.COLUMN, valid.r2.COLUMN, valid.pinball.COLUMN, valid.nll.COLUMN, valid.micro_f1.COLUMN, valid.frame_accuracy.COLUMN, train.loss (did you mean valid.accuracy?)",
    ),
    (
        "train: {batch_size: 4, batch_steps: 9}",
        "c.yaml:2:37: train.batch_steps: give batch_size or batch_steps, not both: set the other to null",
    ),
    ("train: {batch_size: null}", "c.yaml:2:21: train.batch_size: give batch_size or batch_steps"),
    ("model: {cell: lstn}", "c.yaml:2:15: model.cell: got 'lstn', expected one of lstm, gru, rnn (did you mean lstm?)"),
    ("model: {dropout: 1}", "c.yaml:2:18: model.dropout: got 1, expected a number of 0 or more, below 1"),
    ("model: {dropout: .nan}", "c.yaml:2:18: model.dropout: got nan, expected a number of 0 or more, below 1"),
    (
        "model: {forget_bias: 1000}",
        "c.yaml:2:22: model.forget_bias: got 1000, expected a number from -100 to 100",
    ),
    (
        "model: {cell: gru, forget_bias: 2}",
        "c.yaml:2:33: model.forget_bias: only lstm cells have a forget gate: leave it out",
    ),
    (
        "model: {initializer: {recurrent: orthogonl}}",
        "c.yaml:2:34: model.initializer.recurrent: got 'orthogonl', expected one of glorot_uniform, glorot_normal, he_uniform, he_normal, lecun_uniform, lecun_normal, orthogonal, normal, uniform (did you mean orthogonal?)",
    ),
    (
        "model: {initializer: {output: {distribution: normal, scale: 1e6}}}",
        "c.yaml:2:61: model.initializer.output.scale: got 1000000.0, expected a number above 0, at most 1000",
    ),
    (
        "model: {initializer: {output: {scale: 2}}}",
        "c.yaml:2:23: model.initializer.output.distribution: missing: give the distribution; normal is N(0, 1), uniform is U(-1, 1)",
    ),
    (
        "model: {skip: true, layers: [64]}",
        "c.yaml:2:15: model.skip: the one layer has none below: add a layer, or give the layer itself skip: true, which adds the inputs",
    ),
    (
        "model: {skip: true, layers: [64, 64, 32]}",
        "c.yaml:2:15: model.skip: layers.2 outputs 32 numbers, but 64 enter it: give them one width",
    ),
    (
        "model: {layers: [32, {size: 32, bidirectional: true, skip: true}]}",
        "c.yaml:2:60: model.layers.1.skip: layers.1 outputs 64 numbers, but 32 enter it: give them one width",
    ),
    (
        "model: {tie_embeddings: true}",
        "c.yaml:2:25: model.tie_embeddings: needs target: next, as the tokens that are predicted are those that enter: leave it out",
    ),
    (
        "loss: {label_smoothing: 0.1}\nmodel: {crf: true}",
        "c.yaml:2:25: loss.label_smoothing: the loss of a conditional random field is that of whole sequences, not of labels: leave it out",
    ),
    (
        "loss: {class_weight: balanced}\nmodel: {crf: true}",
        "c.yaml:2:22: loss.class_weight: the loss of a conditional random field is that of whole sequences, not of labels: leave it out",
    ),
    (
        "model: {output: 1, layer_norm: true}\nrollout: {dynamics: p.py:f, steps: 3}",
        "c.yaml:2:32: model.layer_norm: in a closed loop no sums are normalised: set it to false",
    ),
    (
        "model: {output: 1, layers: [4, {size: 4, skip: true}]}\nrollout: {dynamics: p.py:f, steps: 3}",
        "c.yaml:2:48: model.layers.1.skip: in a closed loop no layer adds its input to its output: set it to false",
    ),
    ("model: {layers: []}", "c.yaml:2:17: model.layers: got a list, expected a list of at least one"),
    ("model: {layers: [64, x]}", "c.yaml:2:22: model.layers.1: got 'x', expected a whole number of 1 or more"),
    (
        "model: {layers: [64, {cell: gru}]}",
        "c.yaml:2:22: model.layers.1.size: missing: give the number of units in each direction",
    ),
    (
        "model: {layers: [{size: 4, units: 3}]}",
        "c.yaml:2:28: model.layers.0.units: unknown key, expected one of size, cell, activation, dropout, recurrent_dropout, bidirectional, layer_norm, skip",
    ),
    ("model: {embedding: {x: big}}", "c.yaml:2:24: model.embedding.x: got 'big', expected a whole number of 1 or more"),
    ("model: {embedding: big}", "c.yaml:2:20: model.embedding: got 'big', expected a whole number of 1 or more"),
    ("model: {embedding: {z: 4}}", "c.yaml:2:24: model.embedding.z: no such input, expected one of x"),
    (
        "model: {output: {size: 1}}",
        "c.yaml:2:17: model.output: only with rollout.dynamics: otherwise the target determines the output's size; see model.output_activation",
    ),
    ("optimizer: {name: sgd, nesterov: true}", "c.yaml:2:34: optimizer.nesterov: needs optimizer.momentum above 0"),
    ("optimizer: {learning_rate: 0}", "c.yaml:2:28: optimizer.learning_rate: got 0, expected a number above 0"),
    (
        "optimizer: {name: adam, epsilon: 1e-50}",
        "c.yaml:2:34: optimizer.epsilon: got 1e-50, expected a number from 1.2e-38 to 3.4e+38, with precision: float32",
    ),
    (
        "precision: float64\noptimizer: {learning_rate: 1e300, weight_decay: 1e-320}",
        "c.yaml:3:49: optimizer.weight_decay: got 9.99989e-321, expected a number from 2.2e-308 to 1.8e+308, "
        "with precision: float64",
    ),
    ("optimizer: {learning_rate: 1e999}", "c.yaml:2:28: optimizer.learning_rate: got inf, expected a number above 0"),
    ("loss: {huber_delta: 2}", "c.yaml:2:21: loss.huber_delta: only with loss.distance: huber"),
    (
        "loss: {class_weight: rare}",
        "c.yaml:2:22: loss.class_weight: got 'rare', expected balanced, or a mapping of labels to weights",
    ),
    ("loss: {class_weight: {a: 0}}", "c.yaml:2:26: loss.class_weight.a: got 0, expected a number above 0"),
    (
        "loss: {quantiles: [0.1, 0.9]}",
        "c.yaml:2:19: loss.quantiles: give them in ascending order, with 0.5 among them, the median, which is the prediction",
    ),
    ("loss: {quantiles: [0.5, 1]}", "c.yaml:2:25: loss.quantiles.1: got 1, expected a number between 0 and 1"),
    (
        "loss: {quantiles: [0.5], distribution: gaussian}",
        "c.yaml:2:19: loss.quantiles: quantiles and a distribution have a loss each: leave one of them out",
    ),
    (
        "loss: {distance: huber, distribution: gaussian}",
        "c.yaml:2:18: loss.distance: loss.distribution has its own loss: leave one of them out",
    ),
    (
        "model: {output_activation: relu}\nloss: {distribution: gaussian}",
        "c.yaml:2:28: model.output_activation: a Gaussian has no bounds: leave it out",
    ),
    ("loss: {weight: 3}", "c.yaml:2:16: loss.weight: got 3, expected the name of a column"),
    (
        "rollout: {dynamics: p.py:f, steps: 3}",
        "c.yaml:2:21: rollout.dynamics: needs model.output, the number of values that drive the system, such as model.output: {size: 1}",
    ),
    (
        "train: {valid_streams: 8}",
        "c.yaml:2:24: train.valid_streams: needs data.window: each stream is warmed up on ten of them",
    ),
    ("train: {valid_streams: 0}", "c.yaml:2:24: train.valid_streams: got 0, expected a whole number of 1 or more"),
    ("rollout: {dynamics: p.py}", "c.yaml:2:21: rollout.dynamics: got 'p.py', expected FILE.py:FUNCTION"),
    (
        "model: {output: 1}\nrollout: {dynamics: p.py}",
        "c.yaml:3:21: rollout.dynamics: got 'p.py', expected FILE.py:FUNCTION",
    ),
    (
        "rollout: {steps: 3}",
        "c.yaml:2:10: rollout: needs rollout.dynamics, or a numeric data.target: next, whose predictions are fed back",
    ),
    (
        "model: {output: 1}\nrollout: {dynamics: p.py:f, steps: 3, loss_on: [0, 0]}",
        "c.yaml:3:48: rollout.loss_on: an element is listed twice",
    ),
    (
        "model: {output: 1}\nrollout: {dynamics: p.py:f, steps: 3, loss_at: final}",
        "c.yaml:3:48: rollout.loss_at: got 'final', expected every, last, or a list of weights, one for each step of the closed loop and not all 0",
    ),
]

# The whole section `data`, and the message.
DATA: list[tuple[str, str]] = [
    ("inputs: [x], target: y", "c.yaml:1:1: data.train: missing: give the training data: a file, a pattern such as `logs/*.csv`, a folder, or a list of them, relative to the config file"),
    ("train: a.csv, inputs: [x]", "c.yaml:1:1: data.target: missing: give the column to predict, or next for the next step of the inputs"),
    ("train: 3, target: y", "c.yaml:1:15: data.train: got 3, expected a path, or a list of paths"),
    ("train: '', target: y", "c.yaml:1:15: data.train: got '', expected a path, or a list of paths"),
    ('train: "a\\0", target: y', "c.yaml:1:15: data.train: a path cannot hold the character NUL"),
    ("train: 's3://b/c', target: y", "c.yaml:1:15: data.train: got 's3://b/c', expected a file on this machine: download it first"),
    ("train: a, target: y, valid: 1.5", "c.yaml:1:36: data.valid: got 1.5, expected a path, a list of paths, a share between 0 and 1, a count of 1 or more, {share: 0.2, by: …}, or null"),
    ("train: a, target: y, test: 0", "c.yaml:1:35: data.test: got 0, expected a path, a list of paths, a share between 0 and 1, a count of 1 or more, {share: 0.2, by: …}, or null"),
    ("train: a, target: y, format: xls", "c.yaml:1:37: data.format: got 'xls', expected one of auto, jsonl, json, csv, columns, parquet, npz, npy, text, conllu, ts, tsf, arrow"),
    ("train: a, target: y, inputs: [x, x]", "c.yaml:1:37: data.inputs: a column is listed twice"),
    ("train: a, target: y, inputs: [x, 3]", "c.yaml:1:37: data.inputs: got a list, expected names of columns, or a mapping of names to settings"),
    ("train: a, target: y, inputs: 7", "c.yaml:1:37: data.inputs: got 7, expected a mapping of names to values"),
    ("train: a, target: y, inputs: {x: toke}", "c.yaml:1:41: data.inputs.x: got 'toke', expected one of auto, number, tokens, set (did you mean tokens?)"),
    ("train: a, target: y, inputs: {x: {mincount: 2}}", "c.yaml:1:42: data.inputs.x.mincount: unknown key (did you mean min_count?)"),
    ("train: a, target: 7", "c.yaml:1:26: data.target: got 7, expected a mapping of keys to values"),
    ("train: a, target: [y, 3]", "c.yaml:1:26: data.target: got a list, expected names of columns, or a mapping of names to settings"),
    ("train: a, target: [y, y]", "c.yaml:1:26: data.target: a column is listed twice"),
    ("train: a, target: {kind: set}", "c.yaml:1:26: data.target: give either a column, several columns, or next: true"),
    ("train: a, target: {next: true, per: sequence}", "c.yaml:1:44: data.target.per: next is predicted at every step: leave per out"),
    ("train: a, target: y, transform: {x: lag}", "c.yaml:1:44: data.transform.x: got 'lag', expected log, difference or seasonal_difference(STEPS)"),
    ("train: a, target: y, transform: {x: [log, 3]}", "c.yaml:1:50: data.transform.x.1: got 3, expected log, difference or seasonal_difference(STEPS)"),
    ("train: a, target: y, inputs: [price], missing: {fill: {prise: mean}}", "c.yaml:1:70: data.missing.fill.prise: no such input (did you mean price?)"),
    ("train: a, target: y, inputs: [price], missing: {fill: median}", "c.yaml:1:62: data.missing.fill: got 'median', expected one of stop, previous, linear, mean, zero (did you mean mean?)"),
    ("train: a, target: y, inputs: [price], missing: {indicator: true}", "c.yaml:1:67: data.missing.indicator: needs data.missing.fill, which says how gaps are filled"),
    ("train: a, target: next, inputs: [price], missing: {fill: linear}", "c.yaml:1:65: data.missing.fill: linear looks ahead, and a forecast begins at every step: use previous"),
    ("train: a, target: {column: y, horizon: 3}, inputs: [price], missing: {fill: {price: linear}}", "c.yaml:1:92: data.missing.fill.price: linear looks ahead, and a forecast begins at every step: use previous"),
    ("train: a, target: y, inputs: [price], transform: {price: log}, missing: {fill: zero}", "c.yaml:1:87: data.missing.fill: zero has no logarithm (data.transform.price): use mean"),
    ("train: a, target: y, inputs: [price], transform: {prise: log}", "c.yaml:1:65: data.transform.prise: no such input (did you mean price?)"),
    ("train: a, target: y, carry_state: true", "c.yaml:1:42: data.carry_state: needs data.window, the length of the windows in steps"),
    ("train: a, target: y, on_long: cut", "c.yaml:1:38: data.on_long: needs data.max_length, the maximum number of steps"),
    (
        "train: a.txt, inputs: {text: {unit: word}}",
        "c.yaml:1:44: data.inputs.text.unit: all inputs of plain text have one unit: set data.unit: word instead",
    ),
    (
        "train: a.csv, target: y, inputs: {x: {static: true}}",
        "c.yaml:1:54: data.inputs.x.static: every input is static, so that a sequence has no steps: name an input with a value per step",
    ),
    (
        "train: a.csv, target: y, inputs: {w: {}, x: {static: true, unit: word}}",
        "c.yaml:1:73: data.inputs.x.unit: a static string is one token, which is not cut: leave unit out",
    ),
    (
        "train: a.csv, target: y, inputs: {w: {}, x: {static: true, columns: 't*'}}",
        "c.yaml:1:76: data.inputs.x.columns: a static input has no steps in columns: leave one of them out",
    ),
    (
        "train: a.csv, target: y, transform: {x: difference}, inputs: {w: {}, x: {static: true}}",
        "c.yaml:1:48: data.transform.x: x is the same at every step, so that its differences are 0: leave it out",
    ),
    ("train: a, target: y, format: csv, lines: true", "c.yaml:1:49: data.lines: only for format text, not csv: leave it out"),
]  # fmt: skip
