"""Layers and functions of PyTorch, each with what it is called with: what `from_torch` is to give the same for."""

import torch
import torch.nn.functional as TF
from torch import nn

torch.manual_seed(0)
D = torch.float64


def R(*shape):
    return torch.randn(*shape, dtype=D)


def P(*shape):
    return torch.rand(*shape, dtype=D) * 0.8 + 0.1


IMAGE, SEQUENCE, X, Y, B3, SQUARE = R(2, 4, 6, 6), R(5, 2, 3), R(3, 4), R(3, 4), R(2, 3, 4), R(4, 4) + 3 * torch.eye(4)
POSITIVE, IDS, LABELS = P(3, 4) + 0.2, torch.tensor([[1, 2, 0], [3, 3, 1]]), torch.tensor([1, 0, 2])
PLACES, SIGNS = torch.tensor([[0, 1, 2, 1], [2, 1, 0, 0], [1, 2, 1, 1]]), torch.tensor([1.0, -1.0, 1.0], dtype=D)
TOKENS = R(2, 5, 8)


def _layers():
    for name in [
        "ELU",
        "Hardshrink",
        "Hardtanh",
        "Hardswish",
        "LeakyReLU",
        "LogSigmoid",
        "PReLU",
        "ReLU",
        "ReLU6",
        "SELU",
        "CELU",
        "GELU",
        "Sigmoid",
        "SiLU",
        "Mish",
        "Softplus",
        "Softshrink",
        "Softsign",
        "Tanh",
        "Tanhshrink",
        "Identity",
        "Flatten",
    ]:
        yield name, getattr(nn, name)(), X
    for name in ("Softmin", "Softmax", "LogSoftmax", "GLU"):
        yield name, getattr(nn, name)(dim=1), X
    yield "Threshold", nn.Threshold(0.1, 2.0), X
    yield "GELU tanh", nn.GELU("tanh"), X
    yield "RReLU eval", nn.RReLU().eval(), X
    yield "Softmax2d", nn.Softmax2d(), IMAGE
    for d, x in ((1, R(2, 4, 8)), (2, R(2, 4, 6, 7)), (3, R(2, 4, 4, 5, 6))):

        def of(name, *args, d=d, **options):
            return f"{name}{d}d {' '.join(options)}".strip(), getattr(nn, f"{name}{d}d")(*args, **options)

        yield *of("Conv", 4, 6, 3, padding=1, stride=2, groups=2), x
        yield *of("Conv", 4, 2, 3, padding="same", padding_mode="reflect"), x
        yield *of("ConvTranspose", 4, 2, 3, padding=1, stride=2, output_padding=1), x
        yield *of("MaxPool", 2), x
        yield *of("MaxPool", 2, return_indices=True), x
        yield *of("AvgPool", 3, 2, 1), x
        yield *of("LPPool", 2, 2), x.abs() + 0.1
        yield *of("AdaptiveAvgPool", 2), x
        yield *of("AdaptiveMaxPool", 2), x
        yield *of("BatchNorm", 4), x
        yield *of("BatchNorm", 4, track_running_stats=False), x
        yield f"BatchNorm{d}d eval", getattr(nn, f"BatchNorm{d}d")(4).eval(), x
        yield *of("InstanceNorm", 4, affine=True), x
        yield *of("InstanceNorm", 4, track_running_stats=True), x
        yield f"Dropout{d}d eval", getattr(nn, f"Dropout{d}d")().eval(), x
        for kind in ("Reflection", "Replication", "Zero", "Circular"):
            yield *of(f"{kind}Pad", 1), x
        yield *of("ConstantPad", 1, 2.5), x
    for name in ("Dropout", "AlphaDropout", "FeatureAlphaDropout"):
        yield f"{name} eval", getattr(nn, name)().eval(), X
    yield "Dropout of nothing", nn.Dropout(0.0), X
    yield "BatchNorm1d of rows", nn.BatchNorm1d(4), X
    yield "LayerNorm", nn.LayerNorm([3, 4]), B3
    yield "GroupNorm", nn.GroupNorm(2, 4), IMAGE
    yield "RMSNorm", nn.RMSNorm(6), IMAGE
    yield "LocalResponseNorm", nn.LocalResponseNorm(2), IMAGE
    yield "Linear", nn.Linear(4, 3), X
    yield "Linear of normed weights", nn.utils.parametrizations.weight_norm(nn.Linear(4, 3)), X
    yield "Linear without bias", nn.Linear(4, 3, bias=False), B3
    yield "Bilinear", nn.Bilinear(4, 4, 2), X, Y
    for name in ("RNN", "LSTM", "GRU"):
        kind, cell = getattr(nn, name), getattr(nn, name + "Cell")
        state = (R(1, 2, 4), R(1, 2, 4)) if name == "LSTM" else R(1, 2, 4)
        yield name, kind(3, 4), SEQUENCE
        yield f"{name} deep", kind(3, 4, 2, batch_first=True, bidirectional=True), SEQUENCE
        yield f"{name} without bias", kind(3, 4, bias=False), SEQUENCE
        yield f"{name} with a state", kind(3, 4), SEQUENCE, state
        yield f"{name} without a batch", kind(3, 4), SEQUENCE[:, 0]
        yield f"{name}Cell", cell(3, 4), SEQUENCE[0]
    yield "RNN relu", nn.RNN(3, 4, nonlinearity="relu"), SEQUENCE
    yield "LSTM proj_size", nn.LSTM(3, 4, proj_size=2), SEQUENCE
    yield "Embedding", nn.Embedding(5, 3, padding_idx=1), IDS
    for mode in ("sum", "mean", "max"):
        yield f"EmbeddingBag {mode}", nn.EmbeddingBag(5, 3, mode=mode), IDS
    yield "EmbeddingBag offsets", nn.EmbeddingBag(5, 3, mode="sum"), IDS.flatten(), torch.tensor([0, 2])
    yield "MultiheadAttention", nn.MultiheadAttention(8, 2), TOKENS, TOKENS, TOKENS
    yield "MultiheadAttention eval", nn.MultiheadAttention(8, 2, batch_first=True).eval(), TOKENS, TOKENS, TOKENS
    widths = nn.MultiheadAttention(8, 2, kdim=3, vdim=4, add_bias_kv=True, add_zero_attn=True)
    yield "MultiheadAttention kdim", widths, TOKENS, R(6, 5, 3), R(6, 5, 4)
    small = {"dropout": 0.0, "batch_first": True}
    encoder = nn.TransformerEncoderLayer(8, 2, 16, activation="gelu", norm_first=True, **small)
    yield "TransformerEncoderLayer norm_first", encoder, TOKENS
    yield "TransformerEncoderLayer eval", nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).eval(), TOKENS
    yield "TransformerEncoder", nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, **small), 2), TOKENS
    yield "TransformerDecoderLayer", nn.TransformerDecoderLayer(8, 2, 16, **small), TOKENS, R(2, 4, 8)
    yield "Transformer", nn.Transformer(8, 2, 1, 1, 16, **small), TOKENS, R(2, 4, 8)
    for mode in ("nearest", "bilinear", "bicubic"):
        yield f"Upsample {mode}", nn.Upsample(scale_factor=2, mode=mode), IMAGE
        yield f"Upsample {mode} size", nn.Upsample(size=(5, 8), mode=mode), IMAGE
    yield "Upsample align_corners", nn.Upsample(size=(5, 8), mode="bilinear", align_corners=True), IMAGE
    yield "Upsample linear", nn.Upsample(scale_factor=2.0, mode="linear"), B3
    yield "Upsample trilinear", nn.Upsample(scale_factor=2.0, mode="trilinear"), R(2, 3, 2, 3, 4)
    yield "UpsamplingBilinear2d", nn.UpsamplingBilinear2d(scale_factor=2), IMAGE
    yield "PixelShuffle", nn.PixelShuffle(2), IMAGE
    yield "PixelUnshuffle", nn.PixelUnshuffle(2), IMAGE
    yield "ChannelShuffle", nn.ChannelShuffle(2), IMAGE
    yield "Fold", nn.Fold((5, 6), (2, 2)), R(2, 8, 20)
    yield "Unfold", nn.Unfold((2, 2)), IMAGE
    yield "Unflatten", nn.Unflatten(1, (2, 2)), X
    yield "CosineSimilarity", nn.CosineSimilarity(), X, Y
    yield "PairwiseDistance", nn.PairwiseDistance(), X, Y
    for reduction in ("mean", "sum", "none"):
        for name in ("MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss"):
            yield f"{name} {reduction}", getattr(nn, name)(reduction=reduction), X, Y
    for name in ("CrossEntropyLoss", "NLLLoss", "MultiMarginLoss"):
        yield name, getattr(nn, name)(), X, LABELS
    weight = torch.rand(4, dtype=D)
    yield "CrossEntropyLoss weight", nn.CrossEntropyLoss(weight, label_smoothing=0.1, ignore_index=0), X, LABELS
    yield "CrossEntropyLoss of probabilities", nn.CrossEntropyLoss(), X, P(3, 4)
    yield "BCELoss", nn.BCELoss(), P(3, 4), P(3, 4)
    yield "BCEWithLogitsLoss", nn.BCEWithLogitsLoss(pos_weight=weight), X, P(3, 4)
    yield "KLDivLoss", nn.KLDivLoss(reduction="batchmean"), P(3, 4).log(), P(3, 4)
    yield "PoissonNLLLoss", nn.PoissonNLLLoss(), X, P(3, 4)
    yield "HingeEmbeddingLoss", nn.HingeEmbeddingLoss(), R(3), SIGNS
    yield "MarginRankingLoss", nn.MarginRankingLoss(), R(3), R(3), SIGNS
    yield "CosineEmbeddingLoss", nn.CosineEmbeddingLoss(), X, Y, SIGNS
    yield "MultiLabelMarginLoss", nn.MultiLabelMarginLoss(), R(2, 4), torch.tensor([[3, 0, -1, 1], [1, -1, 0, 0]])
    yield "MultiLabelSoftMarginLoss", nn.MultiLabelSoftMarginLoss(), X, P(3, 4).round()
    yield "TripletMarginLoss", nn.TripletMarginLoss(), X, Y, R(3, 4)


def in_place(x):
    h = x * 2
    h[:, 0] = 1
    h[1] += x[0]
    return h.add_(1).mul_(x).relu_()


FUNCTIONS = {
    **{
        name: (lambda x, name=name: getattr(torch, name)(x), X)
        for name in [
            "abs",
            "asinh",
            "atan",
            "cos",
            "cosh",
            "deg2rad",
            "exp",
            "exp2",
            "expm1",
            "neg",
            "sin",
            "sinh",
            "sinc",
            "tan",
            "tanh",
            "sigmoid",
            "square",
            "frac",
            "erf",
            "erfc",
            "rad2deg",
            "relu",
            "i0",
        ]
    },
    **{
        name: (lambda x, name=name: x * getattr(torch, name)(x), X)
        for name in ["ceil", "floor", "round", "trunc", "sign", "sgn", "isnan", "isfinite", "signbit"]
    },
    **{
        name: (lambda x, name=name: getattr(torch, name)(x), P(3, 4))
        for name in [
            "acos",
            "asin",
            "atanh",
            "log",
            "log10",
            "log1p",
            "log2",
            "sqrt",
            "rsqrt",
            "reciprocal",
            "lgamma",
            "digamma",
            "logit",
            "erfinv",
        ]
    },
    **{
        name: (lambda x, y, name=name: getattr(torch, name)(x, y), X, POSITIVE)
        for name in [
            "add",
            "sub",
            "mul",
            "div",
            "maximum",
            "minimum",
            "fmax",
            "fmin",
            "hypot",
            "atan2",
            "logaddexp",
            "logaddexp2",
            "copysign",
            "remainder",
            "fmod",
            "xlogy",
        ]
    },
    "acosh": (lambda x: torch.acosh(x + 1), POSITIVE),
    "add alpha": (lambda x, y: torch.add(x, y, alpha=2), X, Y),
    "rsub": (lambda x: 3 - x, X),
    "pow": (lambda x, y: x**y + x**2 + 2.0**y, POSITIVE, Y),
    "div rounding": (lambda x, y: x * torch.div(x, y, rounding_mode="floor") + (y.detach() // 2), X, POSITIVE),
    "clamp": (lambda x, y: x.clamp(-0.5, 0.5) + x.clamp(min=0) + x.clamp(max=y), X, Y),
    "lerp": (lambda x, y: torch.lerp(x, y, 0.3), X, Y),
    "addcmul": (lambda x, y, z: torch.addcmul(x, y, z, value=2) + torch.addcdiv(x, y, z), X, Y, POSITIVE),
    "where": (lambda x, y: torch.where(x > 0, x, y) + torch.where(x > 0, x, 0.0), X, Y),
    "masked_fill": (lambda x: x.masked_fill(x > 0, -1.0), X),
    "comparisons": (lambda x, y: ((x < y) & (x > 0) | (x == y)).double() * x, X, Y),
    "sum": (lambda x: x.sum() + x.sum(1, keepdim=True), X),
    "mean": (lambda x: x.mean((0, 1)) + x.mean(0), X),
    "amax": (lambda x: x.amax(1) - x.amin((0, 1)), X),
    "max": (lambda x: (x.max() * x.max(1).values, x.min(0, keepdim=True).indices), X),
    "prod": (lambda x: x.prod() * x.prod(1), X),
    "var": (lambda x: x.var(1) + x.var(1, unbiased=False) + x.std() + torch.std(x, 1, correction=0), X),
    "var_mean": (lambda x: (*torch.var_mean(x, 1), *torch.std_mean(x, 1, keepdim=True)), X),
    "norm": (lambda x: x.norm() * x.norm(dim=1) + torch.linalg.norm(x, 1, 1), X),
    "vector_norm": (lambda x: torch.linalg.vector_norm(x, 3.0) * torch.linalg.matrix_norm(x), X),
    "normalize": (lambda x: TF.normalize(x), X),
    "logsumexp": (lambda x: x.logsumexp(1), X),
    "cumsum": (lambda x: x.cumsum(1) * x.cumprod(0), X),
    "logcumsumexp": (lambda x: x.logcumsumexp(1), X),
    "diff": (lambda x: x.diff(), X),
    "median": (lambda x: (x.median(), *x.median(1), x.quantile(0.3)), X),
    "sort": (lambda x: (*x.sort(1, descending=True), *x.topk(2, 1), *x.kthvalue(2, 1)), X),
    "argmax": (lambda x: x * x.argmin() + x.argmax(1, keepdim=True), X),
    "view": (lambda x: x.view(-1, 2).reshape(3, 4).flatten() + x.unflatten(1, (2, 2)).ravel(), X),
    "squeeze": (lambda x: x.unsqueeze(1).squeeze(1).unsqueeze(-1).squeeze() * 2, X),
    "transpose": (lambda x: (x.transpose(1, 2) @ x.permute(0, 1, 2)).movedim(0, 2), B3),
    "mT": (lambda x: x.T @ x.t().mT, SQUARE),
    "expand": (lambda x: x[:, None].expand(-1, 5, -1) * 1, X),
    "repeat": (lambda x: x.repeat(2, 1, 3).sum() * x.tile(2) + x.repeat_interleave(2, 1), X),
    "slices": (lambda x: x[1] * x[:, 1:3].sum() + x[..., -1].sum() + x[::2].mean(), X),
    "indices": (lambda x, i: x[[0, 2, 2], [1, 1, 3]].sum() * x[:, [0, 2]].sum() + x[i], X, IDS[:, :2] % 3),
    "index_select": (lambda x: x.index_select(1, torch.tensor([0, 0, 3])), X),
    "gather": (lambda x, i: x.gather(1, i) + torch.take_along_dim(x, i, 1), X, PLACES),
    "cat": (lambda x, y: torch.cat([x, y], 1).sum() * torch.stack([x, y], -1) * torch.hstack([x, y]).mean(), X, Y),
    "split": (lambda x: [*x.split(3, 1), *x.split([1, 3], 1), *x.chunk(3, 1), *x.unbind(1)], X),
    "narrow": (lambda x: x.narrow(1, 1, 2), X),
    "roll": (lambda x: x.roll(1, 1) * x.flip(0, 1), X),
    "tril": (lambda x: x.tril() + x.triu(1), X),
    "diagonal": (lambda x: (x.diagonal(), torch.diag(x[0]), torch.diag_embed(x), x.trace()), SQUARE),
    "meshgrid": (lambda x, y: torch.meshgrid(x[0], y[0], indexing="ij"), X, Y),
    "unfold": (lambda x: x.unfold(1, 2, 2), X),
    "products": (lambda x, y: x @ y.T + torch.outer(x[0, :3], torch.mv(y, x[0])) * torch.dot(x[0], y[0]), X, Y),
    "bmm": (lambda x: torch.bmm(x, x.transpose(1, 2)), B3),
    "einsum": (lambda x, y: torch.einsum("ij,kj->ik", x, y) + torch.tensordot(x, y, 2), X, Y),
    "addmm": (lambda x, y: torch.addmm(x[:, :3], y, y.T, beta=0.5), X, Y),
    "baddbmm": (lambda x: torch.baddbmm(x[..., :3], x, x.mT), B3),
    "kron": (lambda x, y: torch.kron(x, y), X, Y),
    "cross": (lambda x, y: torch.cross(x, y, dim=0) + torch.linalg.cross(x.T, y.T).T, X, Y),
    "inverse": (lambda x: torch.linalg.inv(x) + torch.det(x) + torch.linalg.slogdet(x)[1], SQUARE),
    "solve": (lambda x: torch.linalg.solve(x, x[:, :2]), SQUARE),
    "cholesky": (lambda x: torch.linalg.cholesky(x @ x.T + torch.eye(4, dtype=D)), SQUARE),
    "matrix_power": (lambda x: torch.matrix_power(x, 3), SQUARE),
    "eigenvalues": (lambda x: torch.linalg.eigvalsh(x @ x.T) + torch.linalg.svdvals(x), SQUARE),
    "cdist": (lambda x, y: torch.cdist(x, y), X, Y),
    "scatter": (lambda x, i, y: x.scatter(0, i, 2.0) * x.scatter_add(1, i, y), X, PLACES, Y),
    **{
        # all that is reduced ties; what is not included does not, as PyTorch counts it among them
        f"scatter_reduce {how}, {own}": (
            lambda x, i, y, how=how, own=own: (
                x.scatter_reduce(1, i, y, how, include_self=own)
                + (x / x.detach() + 2 * (not own)).scatter_reduce(0, i % 3, y / y.detach(), how, include_self=own)
            ),
            *(X, PLACES, Y),
        )
        for how in ("sum", "mean", "prod", "amax", "amin")
        for own in (True, False)
    },
    "index_add": (lambda x, y: x.index_add(0, torch.tensor([0, 0, 2]), y), X, Y),
    "index_put": (lambda x: torch.index_put(x, (torch.tensor([0, 1]),), torch.tensor(5.0, dtype=D)), X),
    "in place": (lambda x: (x * 2).add_(1).mul_(x).relu_(), X),
    "new arrays": (
        lambda x: x * torch.ones_like(x) + torch.zeros(4) + torch.full_like(x, 3.0) + torch.arange(4) + x.new_ones(4),
        X,
    ),
    "sizes": (lambda x: x.view(x.shape[0], -1) / x.shape[1] * x.size(0) + x.numel(), X),
    "casts": (lambda x: (x.float() * 2).double() * (x > 0) / (x > 0).sum(), X),
    "detach": (lambda x: x * x.detach(), X),
    "causal": (lambda q: TF.scaled_dot_product_attention(q, q, q, is_causal=True), R(2, 2, 5, 4)),
    "mask": (
        lambda q: TF.scaled_dot_product_attention(q, q, q, attn_mask=torch.ones(5, 5).tril().bool()),
        R(2, 2, 5, 4),
    ),
    "one_hot": (lambda x, i: TF.one_hot(i, 4).double() @ x.T, X, IDS),
    "grid_sample": (
        lambda x, t: TF.grid_sample(x, TF.affine_grid(t, (2, 4, 5, 5), align_corners=False), align_corners=False),
        IMAGE,
        R(2, 2, 3) * 0.3,
    ),
    "pad": (lambda x: TF.pad(x, (1, 2, 0, 1), value=3.0), X),
    "positions": (lambda x: x + torch.sin(torch.arange(3)[:, None] / 10 ** (torch.arange(4, dtype=D) / 4)), X),
    "special": (lambda x: torch.special.expit(x) + torch.special.erf(x) + torch.special.log_softmax(x, 1), X),
    "rfft": (lambda x: torch.fft.rfft(x).abs() + torch.fft.rfft(x, dim=1).angle(), X),
    "fft2": (lambda x, y: torch.fft.ifft2(torch.fft.fft2(x) * torch.fft.fft2(y).conj()).real, X, Y),
    "irfft": (lambda x, y: torch.fft.irfft(torch.complex(x, y), 6) + torch.fft.fftshift(x, 1).sum(), X, Y),
    "view_as_real": (lambda x: torch.view_as_real(torch.fft.fft(x, norm="ortho")), X),
    "max_unpool2d": (lambda x: TF.max_unpool2d(*TF.max_pool2d(x, 2, return_indices=True), 2), IMAGE),
}

CASES = {f"nn.{name}": (layer.double(), *inputs) for name, layer, *inputs in _layers()} | FUNCTIONS
