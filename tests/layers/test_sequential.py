"""Sequential: a list of layers; and where the weights of a model come from."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import minidl as dl
from minidl.layers import BatchNorm, Dense, Dropout, GroupNorm, Layer, LayerNorm, Sequential, Sigmoid


def weights(model):
    return [p.data.copy() for name, p in model.named_parameters() if name.endswith("weight")]


def equal(a, b):
    return len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def mlp(*, norm=True, dropout=False, seed=0):
    layers = []
    for n in (4, 5):
        layers += [Dense(n, n + 1)]
        layers += [BatchNorm(n + 1)] if norm else []
        layers += [Sigmoid()]
        layers += [Dropout(0.5)] if dropout else []
    return Sequential(*layers, seed=seed)


def test_it_is_a_list():
    model = mlp()
    assert len(model) == 6
    assert [type(layer) for layer in model][:3] == [Dense, BatchNorm, Sigmoid]
    assert model[0] is model.layers[0]
    assert model[-1] is model[np.int64(5)] is model.layers[5]
    with pytest.raises(IndexError):
        model[6]
    assert len(Sequential()) == 0
    assert Sequential()(np.ones(2)).data.tolist() == [1, 1]


def test_a_slice_shares_its_layers_and_counts_anew():
    model = mlp().eval()
    before = weights(model)
    part = model[3:]
    assert isinstance(part, Sequential)
    assert part[0] is model[3]
    assert not part.training
    assert next(part.named_parameters())[0] == "0.weight"
    x = np.ones((2, 4))
    np.testing.assert_array_equal(part(model[:3](x)).data, model(x).data)
    with dl.Tape() as tape:
        part(np.ones((2, 5)))
    assert tape.records[0].layer == "0"
    assert equal(weights(model), before)
    assert model.seed == 0


@pytest.mark.parametrize(("wrong", "message"), [
    (Sigmoid, r"Sequential expects layers, got <class .*Sigmoid'> at position 1: write its parentheses"),
    (np.ones(2), r"Sequential expects layers, got array\(\[1., 1.\]\) at position 1"),
    (None, "got None at position 1"),
])
def test_what_is_no_layer_is_refused(wrong, message):
    with pytest.raises(TypeError, match=message):
        Sequential(Dense(2, 2), wrong)


def test_a_seed_decides_all_weights():
    assert equal(weights(mlp(seed=0)), weights(mlp(seed=0)))
    assert not equal(weights(mlp(seed=0)), weights(mlp(seed=1)))
    model = mlp(seed=0)
    assert model.seed == 0
    assert not np.array_equal(weights(model)[0][:4, :5], weights(model)[1][:4, :5])


def test_without_a_seed_it_is_fresh_and_kept():
    model = mlp(seed=None)
    assert isinstance(model.seed, int)
    assert not equal(weights(model), weights(mlp(seed=None)))
    assert equal(weights(model), weights(mlp(seed=model.seed)))


def test_networks_with_and_without_norms_and_dropout_start_from_identical_weights():
    plain = weights(mlp(norm=False))
    for options in ({"norm": True}, {"norm": True, "dropout": True}, {"norm": False, "dropout": True}):
        assert equal(weights(mlp(**options)), plain)


def test_dropout_is_seeded_whatever_else_the_network_holds():
    def masks(model):
        return [layer(np.ones((3, 8))).data for layer in model if isinstance(layer, Dropout)]

    first, second = masks(mlp(dropout=True))
    assert equal(masks(mlp(dropout=True)), [first, second])
    assert equal(masks(mlp(norm=False, dropout=True)), [first, second])
    assert not np.array_equal(first, second)
    assert not equal(masks(mlp(dropout=True, seed=1)), [first, second])


def train_a_little(model):
    optimizer = dl.optim.SGD(model.parameters(), lr=1.0)
    x = np.random.default_rng(0).normal(size=(8, 4))
    for _ in range(2):
        with dl.Tape() as tape:
            loss = (model(x) ** 2).sum()
        tape.backward(loss)
        optimizer.step()


def test_initialize_starts_everything_again():
    model = mlp(dropout=True)
    start = copy.deepcopy(model)
    train_a_little(model)
    with dl.Tape() as tape:
        loss = model(np.ones((8, 4))).sum()
    tape.backward(loss)
    assert model.initialize(seed=0) is model
    assert all(p.grad is None for p in model.parameters())
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, start.state_dict()[name], err_msg=name)
    np.testing.assert_array_equal(model(np.ones((3, 4))).data, start(np.ones((3, 4))).data)


@pytest.mark.parametrize("norm", [BatchNorm(2), LayerNorm(2), GroupNorm(1, 2)], ids=repr)
def test_initialize_resets_each_kind_of_norm_and_draws_nothing_for_it(norm):
    norm.gamma.data = np.array([5, 6], np.float32)
    norm.beta.data = np.array([5, 6], np.float32)
    norm.initialize(0)
    assert norm.gamma.data.tolist() == [1, 1]
    assert norm.beta.data.tolist() == [0, 0]


def test_any_layer_can_be_initialized():
    class Network(Layer):
        def __init__(self):
            super().__init__()
            self.first = Dense(4, 5)
            self.second = Dense(5, 6)

    network = Network().initialize(seed=0)
    assert equal(weights(network), weights(mlp(norm=False)))
    assert network.seed == 0
    assert network.first.seed is None       # drawn from above


def test_a_trained_or_loaded_layer_keeps_its_weights_in_a_new_sequential():
    for touch in (train_a_little, lambda model: model.load_state_dict(model.state_dict())):
        body = mlp(seed=None)
        touch(body)
        before = weights(body)
        model = Sequential(*body[:3], Dense(5, 2))
        assert equal(weights(model)[:1], before[:1])
        assert model.seed is None


@pytest.mark.parametrize("touch", [
    lambda norm: setattr(norm.gamma, "data", norm.gamma.data * 2), lambda norm: norm(np.eye(5)),
])
def test_a_norm_that_was_set_or_has_seen_a_batch_is_kept_too(touch):
    norm = BatchNorm(5)
    touch(norm)
    state = norm.state_dict()
    Sequential(Dense(4, 5), norm)
    assert equal(list(norm.state_dict().values()), list(state.values()))


def test_a_seed_that_the_user_gave_to_a_part_is_respected():
    encoder = mlp(seed=3)
    model = Sequential(encoder, Dense(6, 2))
    assert equal(weights(encoder), weights(mlp(seed=3)))
    assert model.seed is None
    assert encoder.seed == 3
    again = Sequential(encoder, Dense(6, 2), seed=0)        # but a seed for the whole decides all
    assert not equal(weights(encoder), weights(mlp(seed=3)))
    assert (again.seed, encoder.seed) == (0, None)


def test_borrowing_layers_of_an_untrained_model_does_not_draw_them_anew():
    model = mlp(seed=None, dropout=True)
    before, seed = weights(model), model.seed
    probe = Sequential(*model[:2])
    assert equal(weights(model), before)
    assert (model.seed, probe.seed) == (seed, None)


def test_a_nested_model_without_any_seed_is_drawn_as_a_whole():
    model = Sequential(Sequential(Dense(4, 5), Sigmoid()), Dense(5, 6))
    assert isinstance(model.seed, int)
    assert model[0].seed is None
    again = Sequential(Sequential(Dense(4, 5), Sigmoid()), Dense(5, 6), seed=model.seed)
    assert equal(weights(again), weights(model))


def test_an_error_tells_in_which_layer():
    model = Sequential(Dense(2, 3), Sequential(Sigmoid(), Dense(4, 1)))
    with pytest.raises(ValueError, match="use Dense") as caught:
        model(np.zeros((5, 2)))
    assert caught.value.__notes__ == [
        "in layer 1 of a Sequential, a Dense", "in layer 1 of a Sequential, a Sequential",
    ]


@pytest.mark.parametrize("seed", [-1, 1.5, True, "0"])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(ValueError, match="Sequential expects seed to be a whole number of 0 or more, got"):
        Sequential(Dense(2, 3), seed=seed)
    with pytest.raises(ValueError, match="Dense expects seed to be a whole number of 0 or more, got"):
        Dense(2, 3).initialize(seed)


def test_a_list_is_to_be_unpacked():
    with pytest.raises(TypeError, match=r"at position 0: write Sequential\(\*layers\)"):
        Sequential([Dense(2, 3)])
