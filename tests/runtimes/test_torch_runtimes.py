"""PyTorch code beyond a call: as an exported program for other batches, and compiled as one graph."""

import numpy as np
import onnxruntime
import pytest
import torch
from checking import check

from netspec.weights.samples import random_inputs, random_weights
from netspec.weights.targets import torch_target

NETS = {
    name: f"net n {{ {body} }}"
    for name, body in {
        "dropout of the state": "input x [5, 3]; lstm(4, recurrent_dropout=0.2)",
        "another activation": "input x [5, 3]; gru(4, activation=relu, reset_after=false)",
        "a simple one": "input x [5, 3]; rnn(4, activation=gelu, bias=false, return=sequence)",
        "a mask": "input x [5, 3]; input mask [5] bool; output x -> lstm(4, mask=mask, return=sequence)",
        "a mask of words": "input x [5] int(7); embedding(7, 3, mask=true) -> bidirectional(gru(4, return=sequence))",
        "a first state": "input x [5, 3]; input h [4]; output x -> gru(4, activation=relu, initial=h)",
        "layers and directions": "input x [5, 3]; stack(2, bidirectional(lstm(4, activation=relu), merge=add))",
        "on grids": "input x [4, 5, 5, 2]; conv_lstm(3, 2x2, recurrent_dropout=0.1)",
        "attention": "input x [5, 8]; multihead_attention(2)",
        "a product": 'input x [5, 4]; input y [4]; weight w [4, 3]; output einsum("ij,j,jk,Ij->Ik", x, y, w, x)',
        "a product of weights": 'input x [3, 2]; weight w [3]; output einsum("i,j,jK->iK", w, w, x)',
        "a convolution": "input x [8, 8, 3]; conv(4, 3x3) -> batchnorm -> relu -> avgpool(2, padding=same)",
        "layers of images": "input x [8, 8, 4]; separable_conv(8, 3x3) -> groupnorm(2) -> prelu -> channel_shuffle(2)"
        "-> local_response_norm -> space_to_depth(2) -> depthwise_conv(3x3, padding=same) -> instancenorm"
        "-> depth_to_space(2) -> conv_transpose(4, 2x2, stride=2) -> upsample(2) -> lppool(2, 2x2) -> crop(1) -> pad(1)"
        "-> rmsnorm -> hard_swish -> global_avgpool -> maxout(2)",
        "layers of sequences": "input x [6, 4]; a = x -> positional_encoding;"
        "b = x -> shift(1.5) -> mish -> roll(1, axis=0); c = max(x, axis=0); d = norm(x, axis=-1);"
        "output additive_attention(a, x, 3), bilinear(a, b, 3), cosine(x, b), glu(a), reverse(b, axis=0), outer(c, c),"
        "std(d), argmax(x)",
    }.items()
}


class Made:
    """The module of a net, with random numbers for its weights."""

    def __init__(self, text):
        self.net = check(text)
        target = torch_target(self.net)
        self.model = target.model(list)
        self.model.load(target.spelling.put(random_weights(self.net, np.random.default_rng(0))))
        self.module = self.model.module

    def inputs(self, batch, sizes=None):
        """Random tensors, as the module takes them; `sizes` are the values of symbols."""
        arrays = random_inputs(self.net, np.random.default_rng(batch), batch, sizes or {})
        return tuple(map(self.model._tensor, arrays))

    def exported(self):
        """The function of an exported program for any batch."""
        inputs = self.inputs(3)
        batch = torch.export.Dim("batch")
        program = torch.export.export(self.module, inputs, dynamic_shapes=tuple({0: batch} for _ in inputs))
        return program.module()

    def compiled(self):
        torch._dynamo.reset()
        return torch.compile(self.module, fullgraph=True, backend="aot_eager")


@pytest.fixture(params=NETS, scope="module")
def made(request):
    return Made(NETS[request.param])


def same(function, made, batch):
    inputs = made.inputs(batch)
    with torch.no_grad():
        torch.testing.assert_close(function(*inputs), made.module(*inputs))


def test_an_exported_program_takes_any_batch(made):
    function = made.exported()
    for batch in (1, 3, 6):
        same(function, made, batch)


def test_it_is_compiled_as_one_graph(made):
    same(made.compiled(), made, 3)


# loops of ours, where PyTorch has a layer for other arguments
LOOPS = ("dropout of the state", "another activation", "a mask", "on grids")


@pytest.mark.parametrize("made", LOOPS, indirect=True)
def test_it_learns_when_it_is_compiled(made):
    """The gradients are those of the module."""
    module = made.module.train(False)
    found = []
    for function in (module, made.compiled()):
        module.zero_grad()
        function(*made.inputs(3)).square().sum().backward()
        found.append({name: p.grad.clone() for name, p in module.named_parameters() if p.grad is not None})
    assert found[0]
    torch.testing.assert_close(*found)


@pytest.mark.parametrize("layer", ["rnn(4, activation={})", "lstm(4, activation={})", "gru(4, activation={})"])
def test_weights_have_the_names_and_shapes_of_the_layer_of_pytorch(layer):
    states = [Made(f"net n {{ input x [5, 3]; {layer.format(word)} }}").module.state_dict() for word in ("tanh", "elu")]
    shapes = [{name: tensor.shape for name, tensor in state.items()} for state in states]
    assert shapes[0] == shapes[1]
    assert {name.rpartition(".")[2] for name in shapes[0]} > {"weight_ih_l0", "weight_hh_l0"}


SIZED = {
    "padding that hangs on the size": (
        "input x [H, W, 2]; conv(3, 3, stride=2, padding=same) -> maxpool(3, stride=2, padding=same)",
        ({"H": 8, "W": 9}, {"H": 11, "W": 6}),
    ),
    "attention": ("input x [T, 4]; attention(x, x, causal=true)", ({"T": 5}, {"T": 8})),
    "attention in front": ("input x [2, 3, T, 4]; attention(x, x, scale=auto)", ({"T": 5}, {"T": 8})),
    "heads in front": ("input x [2, T, 4]; multihead_attention(2, causal=true)", ({"T": 5}, {"T": 8})),
    "the largest of sequences": (
        "input x [T, 2]; maxpool(3, stride=2, padding=same) -> maxpool(2, rounding=ceil) -> maxpool(3, 1, padding=1)",
        ({"T": 13}, {"T": 18}),
    ),
    "pools to one cell": (
        "input x [H, W, 2]; a = x -> adaptive_maxpool(1); b = x -> adaptive_avgpool(1);"
        "output x -> global_maxpool, x -> global_avgpool, a, b",
        ({"H": 8, "W": 9}, {"H": 11, "W": 6}),
    ),
    "numbers of two types": ("input x [T, 3]; clip(-1, 0.5)", ({"T": 5}, {"T": 8})),
}


class Sized:
    """A module, an input that an export is shown, one of another batch and other sizes, and the axes that differ."""

    def __init__(self, text, shown, other):
        self.made = Made(f"net n {{ {text} }}")
        self.shown, self.other = self.made.inputs(3, shown), self.made.inputs(5, other)
        pairs = enumerate(zip(self.shown[0].shape, self.other[0].shape))
        self.sizes = ({axis: torch.export.Dim.DYNAMIC for axis, (a, b) in pairs if a != b},)

    def gives(self, found):
        with torch.no_grad():
            torch.testing.assert_close(found, self.made.module(*self.other))


@pytest.fixture(params=SIZED, scope="module")
def sized(request):
    text, (shown, other) = SIZED[request.param]
    return Sized(text, shown, other)


def test_an_exported_program_takes_other_sizes(sized):
    """Than those of the example that `torch.export` is shown."""
    program = torch.export.export(sized.made.module, sized.shown, dynamic_shapes=sized.sizes)
    with torch.no_grad():
        sized.gives(program.module()(*sized.other))


@pytest.mark.parametrize("sizes", ["-1, 24", "-1, 4", "-1, 3, 2, 4"])
def test_sizes_that_are_worked_out_are_joined_and_split(sizes):
    """No guard asks whether cells fill up the new sizes. PyTorch asks that no size comes to 1."""
    made = Made(f"net n {{ input x [T, 6, 4]; conv(4, 3x3, stride=(2, 1), padding=(1, 1)) -> reshape({sizes}) }}")
    varying = ({2: torch.export.Dim("T", min=3)},)
    program = torch.export.export(made.module, made.inputs(3, {"T": 7}), dynamic_shapes=varying)
    other = made.inputs(3, {"T": 12})
    with torch.no_grad():
        torch.testing.assert_close(program.module()(*other), made.module(*other))


def test_onnx_takes_other_sizes(sized):
    """Than those of the example that PyTorch's ONNX export is shown."""
    program = torch.onnx.export(sized.made.module, sized.shown, dynamo=True, dynamic_shapes=sized.sizes, verbose=False)
    session = onnxruntime.InferenceSession(program.model_proto.SerializeToString())
    found = session.run(None, {session.get_inputs()[0].name: sized.other[0].numpy()})
    tensors = tuple(map(torch.from_numpy, found))
    sized.gives(tensors if len(tensors) > 1 else tensors[0])
