"""Attention and transformers: by hand, by its names on the tape, and against torch where it is installed."""

import copy
import importlib.util

import numpy as np
import pytest

import nn
import viz
from autograd import Tape, Tensor
from autograd.testing import gradcheck
from nn import functional as F

RNG = np.random.default_rng(0)


def numbers(*shape):
    return RNG.standard_normal(shape)


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def by_hand(q, k, v, mask=0.0):
    return softmax(q @ k.T / np.sqrt(q.shape[-1]) + mask) @ v


# --- the function


def test_attention_is_the_mean_of_the_values_weighted_by_a_softmax():
    q, k, v = numbers(3, 4), numbers(5, 4), numbers(5, 2)
    assert np.allclose(F.scaled_dot_product_attention(q, k, v), by_hand(q, k, v))
    assert np.allclose(F.scaled_dot_product_attention(Tensor(q), k, v, scale=1.0).data, softmax(q @ k.T) @ v)
    seen = np.array([[1, 1, 0, 0, 0], [0, 1, 1, 0, 0], [1, 1, 1, 1, 1]], bool)
    expected = by_hand(q, k, v, np.where(seen, 0, -np.inf))
    assert np.allclose(F.scaled_dot_product_attention(q, k, v, seen), expected)
    causal = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    assert np.allclose(causal[0], v[0])
    assert np.allclose(causal[1], by_hand(q[1:2], k[:2], v[:2])[0])


def test_a_query_that_sees_nothing_finds_zeros_and_sends_no_gradient():
    q, k, v = (Tensor(numbers(2, 3)) for _ in range(3))
    out = F.scaled_dot_product_attention(q, k, v, np.array([[True, True], [False, False]]))
    assert not out.data[1].any()
    out.sum().backward()
    assert not q.grad[1].any() and np.isfinite(k.grad).all() and np.isfinite(v.grad).all()


def test_attention_weights_are_dropped_with_what_they_weigh():
    v = np.ones((1000, 1))
    nn.manual_seed(0)
    out = F.scaled_dot_product_attention(np.zeros((1, 2)), np.zeros((1000, 2)), v, dropout_p=0.5)
    assert 0.9 < out.item() < 1.1 and out.item() != 1
    with pytest.raises(ValueError, match="dropout_p must be from 0 to 1, got 2"):
        F.scaled_dot_product_attention(v, v, v, dropout_p=2)


def test_attention_has_second_derivatives():
    mask = np.tri(2, 3, 1, dtype=bool)
    assert gradcheck(
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, mask), numbers(2, 2), numbers(3, 2), numbers(3, 2)
    )
    layer = nn.MultiheadAttention(4, 2, add_bias_kv=True, dtype=np.float64, rng=0)

    def run(x, w):
        other = nn.MultiheadAttention(4, 2, add_bias_kv=True, dtype=x.dtype)
        other.load_state_dict(layer.state_dict())
        object.__setattr__(other, "in_proj_weight", w)
        return other(x, x, x)[0]

    assert gradcheck(run, numbers(2, 4), layer.in_proj_weight.data)


def test_a_head_is_read_off_the_tape_by_its_textbook_names():
    layer, x = nn.MultiheadAttention(2, 1, dtype=np.float64, rng=0), numbers(3, 2)
    out, weights = layer(x, x, x, is_causal=True)
    tape = Tape(out)
    assert [tape[name].op for name in ("Q", "K", "V", "A")] == ["add", "add", "add", "softmax"]
    assert [tape[name].op for name in ("W_Q", "W_QKV", "W_O")] == ["getitem", "parameter", "parameter"]
    assert np.allclose(tape["A"].value, weights.data)
    assert not np.triu(weights.data, 1).any() and np.allclose(weights.data.sum(axis=-1), 1)
    text = str(viz.derive((out * out).sum(), "W_QKV"))
    for line in ("∂L/∂W_Q = (∂L/∂Q)ᵀ @ query", "∂L/∂V = ", "∂L/∂A = "):
        assert line in text
    assert {node.scope.path for node in tape if not node.is_leaf} == {
        "multiheadattention",
        "multiheadattention.out_proj",
    }


ROWS = (numbers(2, 3), numbers(4, 3), numbers(4, 5))
Q, X = np.ones((2, 4, 6)), nn.MultiheadAttention(6, 2, batch_first=True)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: F.scaled_dot_product_attention(*ROWS[::-1]),
            ValueError,
            r"query \(…, L, d\), key \(…, S, d\) and val",
        ),
        (
            lambda: F.scaled_dot_product_attention(*ROWS, np.ones((3, 4))),
            ValueError,
            r"\(3, 4\) does not fit scores of",
        ),
        (lambda: F.scaled_dot_product_attention(*ROWS, np.ones((2, 2, 4))), ValueError, r"\(2, 2, 4\) does not fit"),
        (lambda: F.scaled_dot_product_attention(*ROWS, np.ones((2, 4), int)), TypeError, "booleans or floating-point"),
        (lambda: F.scaled_dot_product_attention(*ROWS, np.ones(4), 0.0, True), ValueError, "goes without attn_mask"),
        (lambda: F.scaled_dot_product_attention(*ROWS, enable_gqa=True), ValueError, "must be a multiple of those of"),
        (lambda: F.scaled_dot_product_attention([[1]], *ROWS[1:]), TypeError, "query: floating-point input is needed"),
        (lambda: nn.MultiheadAttention(6, 4), ValueError, "num_heads=4 must divide embed_dim=6"),
        (lambda: nn.MultiheadAttention(6, 2, dropout=2), ValueError, "MultiheadAttention: dropout must be from 0 to 1"),
        (lambda: X(Q, Q, Q[:, :3]), ValueError, r"shape \(N, L, 6\), \(N, S, 6\), \(N, S, 6\) are needed, or all with"),
        (lambda: X(Q, Q[0], Q[0]), ValueError, r"got \(2, 4, 6\), \(4, 6\), \(4, 6\)"),
        (lambda: X(Q, Q, Q, attn_mask=np.ones((4, 3))), ValueError, r"of shape \(4, 4\) or \(4, 4, 4\) is needed, got"),
        (
            lambda: X(Q, Q, Q, np.ones((4, 2))),
            ValueError,
            r"key_padding_mask of shape \(2, 4\) is needed, got \(4, 2\)",
        ),
        (lambda: X(Q, Q, Q, np.ones((2, 4), int)), TypeError, "key_padding_mask: booleans or floating-point numbers"),
    ],
)
def test_what_does_not_fit_is_answered_with_a_sentence(call, error, message):
    with pytest.raises(error, match=message):
        call()


# --- torch

L, S, N, E, H = 3, 5, 4, 6, 2
TWICE = {"boolean": numbers(L, S) > 1, "floating": numbers(L, S)}
PER_HEAD = {"boolean": numbers(N * H, L, S) > 1, "floating": numbers(N * H, L, S)}
PADDING = {"boolean": np.arange(S) >= np.array([[5], [4], [3], [2]]), "floating": numbers(N, S)}
ATTENTIONS = {
    "plain": ({}, {}),
    "batch first": ({"batch_first": True}, {}),
    "without bias": ({"bias": False}, {}),
    "weights of each head": ({}, {"average_attn_weights": False}),
    "no weights": ({}, {"need_weights": False}),
    "other sizes": ({"kdim": 4, "vdim": 7}, {}),
    "other size of keys": ({"kdim": 4, "bias": False, "batch_first": True}, {}),
    "one head": ({"num_heads": 1}, {}),
    "one head, weights of each": ({"num_heads": 1}, {"average_attn_weights": False}),
    "one head, masks": ({"num_heads": 1}, {"attn_mask": TWICE["floating"], "key_padding_mask": PADDING["floating"]}),
    "one head, mask of each": ({"num_heads": 1}, {"attn_mask": PER_HEAD["floating"][:N]}),
    "learned key and value": ({"add_bias_kv": True}, {}),
    "zero key and value": ({"add_zero_attn": True}, {}),
    **{f"{kind} mask": ({}, {"attn_mask": TWICE[kind]}) for kind in TWICE},
    **{f"{kind} mask of each head": ({"batch_first": True}, {"attn_mask": PER_HEAD[kind]}) for kind in TWICE},
    **{f"{kind} padding": ({}, {"key_padding_mask": PADDING[kind]}) for kind in TWICE},
    **{f"{kind} masks, all keys": ({"add_bias_kv": True, "add_zero_attn": True, "kdim": 4},
       {"attn_mask": TWICE[kind], "key_padding_mask": PADDING[kind]}) for kind in TWICE},
}  # fmt: skip
PRODUCTS = {
    "plain": ({}, (L, E), (S, E), (S, 2)),
    "batch and heads": ({}, (N, H, L, E), (N, H, S, E), (N, H, S, 2)),
    "boolean mask": ({"attn_mask": numbers(L, S) < 1}, (N, L, E), (N, S, E), (N, S, E)),
    "floating mask": ({"attn_mask": numbers(L, S)}, (N, L, E), (N, S, E), (N, S, E)),
    "mask of each head": ({"attn_mask": numbers(N, 1, L, S)}, (N, H, L, E), (N, H, S, E), (N, H, S, E)),
    "causal": ({"is_causal": True}, (N, L, E), (N, S, E), (N, S, E)),
    "causal, more queries": ({"is_causal": True}, (N, S, E), (N, L, E), (N, L, E)),
    "scale": ({"scale": 0.3}, (N, L, E), (N, S, E), (N, S, E)),
    "grouped queries": ({"enable_gqa": True}, (N, 4, L, E), (N, 2, S, E), (N, 2, S, E)),
}

if importlib.util.find_spec("torch"):
    import torch

    def their(option):
        return torch.tensor(option) if isinstance(option, np.ndarray) else option

    def compared(ours, theirs, inputs, call, name="", tolerance=1e-10):
        """Call both on the same numbers; compare all outputs, and the gradients of inputs and parameters."""
        mine, other = [Tensor(a) for a in inputs], [torch.tensor(a, requires_grad=True) for a in inputs]
        outs, expected = call(ours, mine, lambda option: option), call(theirs, other, their)
        outs, expected = (out if isinstance(out, tuple) else (out,) for out in (outs, expected))
        assert [out is None for out in outs] == [out is None for out in expected]
        pairs = [(a, b) for a, b in zip(outs, expected, strict=True) if a is not None]
        for i, (a, b) in enumerate(pairs):
            assert a.shape == tuple(b.shape)
            assert np.allclose(a.data, b.detach().numpy(), rtol=tolerance, atol=tolerance), i
        upstream = [numbers(*a.shape) for a, _ in pairs]
        sum((a * g).sum() for (a, _), g in zip(pairs, upstream, strict=True)).backward()
        sum((b * torch.tensor(g)).sum() for (_, b), g in zip(pairs, upstream, strict=True)).backward()
        if isinstance(ours, nn.Module):
            pairs = sorted(ours.named_parameters()), sorted(theirs.named_parameters())
            assert [n for n, _ in pairs[0]] == [n for n, _ in pairs[1]]
            mine += [p for _, p in pairs[0]]
            other += [p for _, p in pairs[1]]
        for a, b in zip(mine, other, strict=True):
            assert np.allclose(a.grad, b.grad.numpy(), rtol=tolerance, atol=20 * tolerance)

    @pytest.mark.parametrize("case", PRODUCTS)
    def test_scaled_dot_product_attention_is_that_of_torch(case):
        options, *shapes = PRODUCTS[case]
        compared(
            F, torch.nn.functional, [numbers(*shape) for shape in shapes],
            lambda f, x, to: f.scaled_dot_product_attention(*x, **{k: to(v) for k, v in options.items()}),
        )  # fmt: skip

    def loaded(ours, theirs):
        ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
        theirs.load_state_dict({k: torch.tensor(v) for k, v in ours.state_dict().items()})

    @pytest.mark.parametrize("mode", ["train", "eval"])
    @pytest.mark.parametrize("alone", [False, True], ids=["batch", "alone"])
    @pytest.mark.parametrize("case", ATTENTIONS)
    @pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask")
    def test_multi_head_attention_is_that_of_torch(case, alone, mode):
        options, given = ATTENTIONS[case]
        options = {"num_heads": H, **options}
        theirs = torch.nn.MultiheadAttention(E, **options).double()
        ours = nn.MultiheadAttention(E, **options, dtype=np.float64)
        for parameter in theirs.parameters():
            torch.nn.init.normal_(parameter)
        loaded(ours, theirs)
        getattr(ours, mode)(), getattr(theirs, mode)()
        shapes = [(L, N, E), (S, N, ours.kdim), (S, N, ours.vdim)]
        if alone:
            shapes = [(a, c) for a, _, c in shapes]
            given = {
                k: v[2] if k == "key_padding_mask" else v[: ours.num_heads] if np.ndim(v) == 3 else v
                for k, v in given.items()
            }
        elif options.get("batch_first"):
            shapes = [(b, a, c) for a, b, c in shapes]
        compared(
            ours, theirs, [numbers(*shape) for shape in shapes],
            lambda layer, x, to: layer(*x, **{k: to(v) for k, v in given.items()}),
        )  # fmt: skip

    def test_self_attention_of_one_tensor_adds_up_its_gradients():
        theirs, ours = torch.nn.MultiheadAttention(E, H).double(), nn.MultiheadAttention(E, H, dtype=np.float64)
        loaded(ours, theirs)
        compared(ours, theirs, [numbers(L, N, E)], lambda layer, x, to: layer(*x, *x, *x))

    def test_parameters_are_drawn_as_those_of_torch_are():
        options = {"add_bias_kv": True, "kdim": 40}
        theirs, ours = torch.nn.MultiheadAttention(64, 4, **options), nn.MultiheadAttention(64, 4, **options, rng=0)
        for (name, p), (other, q) in zip(
            sorted(ours.named_parameters()), sorted(theirs.named_parameters()), strict=True
        ):
            assert name == other
            assert np.isclose(p.data.std(), q.detach().numpy().std(), rtol=0.4), name

# --- transformers


def small(name, **options):
    return getattr(nn, name)(4, 2, 6, dropout=0.0, rng=0, dtype=np.float64, **options)


def test_a_layer_adds_attention_and_a_dense_part_to_what_it_was_given():
    layer, x = small("TransformerEncoderLayer", norm_first=True), numbers(3, 4)
    attended = x + layer.self_attn(*[layer.norm1(x)] * 3)[0].data
    hidden = np.maximum(layer.linear1(layer.norm2(attended)).data, 0)
    assert np.allclose(layer(x).data, attended + hidden @ layer.linear2.weight.data.T + layer.linear2.bias.data)
    kinds = {node.scope.kind for node in Tape(layer(x))}
    assert {"TransformerEncoderLayer", "MultiheadAttention", "LayerNorm", "Linear"} <= kinds


def test_a_position_does_not_see_what_comes_later():
    x = numbers(5, 4)
    changed = np.concatenate([x[:3], numbers(2, 4)])
    for options in ({}, {"is_causal": True}):
        layer = small("TransformerEncoderLayer")
        same = np.isclose(layer(x, **options).data, layer(changed, **options).data).all(axis=1)
        assert same.tolist() == [bool(options)] * 3 + [False] * 2
    mask = nn.Transformer.generate_square_subsequent_mask(5, dtype=np.float64)
    assert np.allclose(layer(x, mask).data, layer(x, is_causal=True).data)


def test_layers_of_a_stack_are_copies_that_drop_what_they_will():
    layer = nn.TransformerEncoderLayer(4, 2, 6, rng=0)
    stack = nn.TransformerEncoder(layer, 2)
    assert len({id(p) for p in [*stack.parameters(), *layer.parameters()]}) == 3 * len(list(layer.parameters()))
    assert stack.layers[0].dropout.rng is stack.layers[1].dropout.rng is layer.dropout.rng
    x = numbers(3, 4)
    assert (stack(x).data != stack(x).data).any()
    assert (stack.eval()(x).data == stack(x).data).all()


def test_an_encoder_layer_has_second_derivatives():
    layer = small("TransformerEncoderLayer", activation=np.tanh)

    def run(x):
        return (layer if x.dtype == np.float64 else copy.deepcopy(layer).to(x.dtype))(x)

    assert gradcheck(run, numbers(2, 4))


def test_an_unknown_activation_is_refused():
    with pytest.raises(ValueError, match="TransformerDecoderLayer: activation must be 'relu', 'gelu' or a function"):
        nn.TransformerDecoderLayer(4, 2, activation="tanh")


BLOCKS = {
    "plain": {},
    "norm first": {"norm_first": True},
    "batch first": {"batch_first": True},
    "without bias": {"bias": False},
    **({"gelu": {"activation": "gelu"}} if "gelu" in F.__all__ else {}),
    "large epsilon": {"layer_norm_eps": 0.1},
}


def blocks(m, **options):
    """What makes each of the blocks of `nn` or of torch."""
    options = {"dim_feedforward": 8, "dropout": 0.0, **options}
    return {
        "encoder layer": lambda: m.TransformerEncoderLayer(E, H, **options),
        "decoder layer": lambda: m.TransformerDecoderLayer(E, H, **options),
        "encoder": lambda: m.TransformerEncoder(m.TransformerEncoderLayer(E, H, **options), 2, m.LayerNorm(E)),
        "decoder": lambda: m.TransformerDecoder(m.TransformerDecoderLayer(E, H, **options), 2),
        "both": lambda: m.Transformer(E, H, 1, 2, **options),
    }


if importlib.util.find_spec("torch"):

    @pytest.mark.parametrize("masked", [False, True], ids=["open", "masked"])
    @pytest.mark.parametrize("alone", [False, True], ids=["batch", "alone"])
    @pytest.mark.parametrize("case", BLOCKS)
    @pytest.mark.parametrize("kind", blocks(nn))
    @pytest.mark.filterwarnings("ignore:enable_nested_tensor is True")
    def test_transformers_are_those_of_torch(kind, case, alone, masked):
        options = BLOCKS[case]
        theirs = blocks(torch.nn, **options)[kind]().double()
        ours = blocks(nn, **options)[kind]().to(np.float64)
        for parameter in theirs.parameters():
            torch.nn.init.normal_(parameter, std=0.5)
        loaded(ours, theirs)
        tall, wide = (L, E), (S, E)
        shapes = [wide, tall] if kind == "both" else [tall, wide] if "decoder" in kind else [tall]
        if not alone:
            shapes = [(N, n, E) if options.get("batch_first") else (n, N, E) for n, _ in shapes]
        padding = PADDING["boolean"][2] if alone else PADDING["boolean"]
        causal, other = ~np.tri(L, dtype=bool), TWICE["boolean"]
        masks = {
            "encoder layer": {"src_mask": causal},
            "encoder": {"mask": causal},
            "both": {"tgt_mask": causal, "src_key_padding_mask": padding, "memory_mask": other},
        }.get(kind, {"tgt_mask": causal, "memory_mask": other, "memory_key_padding_mask": padding})
        masks = masks if masked else {}
        compared(
            ours, theirs, [numbers(*shape) for shape in shapes],
            lambda model, x, to: model(*x, **{k: to(v) for k, v in masks.items()}),
        )  # fmt: skip
