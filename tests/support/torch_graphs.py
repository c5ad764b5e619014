"""Graphs as a reader of PyTorch's exported programs makes them: the networks of torchvision and a BERT, with the names
and classes of their modules."""

from __future__ import annotations

from netspec.base.dims import symbol
from netspec.importing.graph import ImportedModel, ImportedStep
from netspec.importing.graph import ModuleLevel as L
from netspec.importing.growing import GrowingGraph
from netspec.layers.arguments import Word


class B:
    """A graph that grows: a call is a step on one value or several, in the module at a path."""

    def __init__(self):
        self.g = GrowingGraph()

    def __call__(self, kind, x, path, **args):
        self.g.path = tuple(path)
        found = self.g.add(kind, x if isinstance(x, tuple) else (x,), args)
        return found[0] if len(found) == 1 else found

    def weight(self, path, name, sizes):
        self.g.path = (*path, L("", ""))
        return self.g.weight(name, sizes)

    def model(self, name, outputs):
        return ImportedModel(name, tuple(self.g.inputs), tuple(self.g.steps), tuple(("", number) for number in outputs))


def conv(b, x, p, n, f, k, **a):
    return b("conv", x, [*p, L(n, "Conv2d")], filters=f, kernel=(k, k), **a)


def bn(b, x, p, n):
    return b("batchnorm", x, [*p, L(n, "BatchNorm2d")])


def resnet(blocks=(3, 4, 6, 3)):
    b = B()
    x = b.g.port("x", (224, 224, 3), "float32")
    x = conv(b, x, [], "conv1", 64, 7, stride=2, padding=3, bias=False)
    x = bn(b, x, [], "bn1")
    x = b("relu", x, [L("relu", "ReLU")])
    x = b("maxpool", x, [L("maxpool", "MaxPool2d")], kernel=(3, 3), stride=2, padding=1)
    for i, n in enumerate(blocks):
        w = 64 * 2**i
        for j in range(n):
            p = [L(f"layer{i + 1}", "Sequential"), L(str(j), "Bottleneck")]
            s = 2 if j == 0 and i else 1
            y = conv(b, x, p, "conv1", w, 1, bias=False)
            y = bn(b, y, p, "bn1")
            y = b("relu", y, [*p, L("relu", "ReLU")])
            y = conv(b, y, p, "conv2", w, 3, stride=s, padding=1, bias=False)
            y = bn(b, y, p, "bn2")
            y = b("relu", y, [*p, L("relu", "ReLU")])
            y = conv(b, y, p, "conv3", 4 * w, 1, bias=False)
            y = bn(b, y, p, "bn3")
            if j == 0:
                q = [*p, L("downsample", "Sequential")]
                x = conv(b, x, q, "0", 4 * w, 1, stride=s, bias=False)
                x = bn(b, x, q, "1")
            y = b("+", (y, x), p)
            x = b("relu", y, [*p, L("relu", "ReLU")])
    x = b("global_avgpool", x, [L("avgpool", "AdaptiveAvgPool2d")])
    x = b("dense", x, [L("fc", "Linear")], units=1000)
    return b.model("ResNet", [x])


def vgg():
    b = B()
    x = b.g.port("x", (224, 224, 3), "float32")
    i = 0
    F = L("features", "Sequential")
    C = L("classifier", "Sequential")
    for n, f in [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)]:
        for _ in range(n):
            x = conv(b, x, [F], str(i), f, 3, padding=1)
            x = b("relu", x, [F, L(str(i + 1), "ReLU")])
            i += 2
        x = b("maxpool", x, [F, L(str(i), "MaxPool2d")], kernel=(2, 2))
        i += 1
    x = b("flatten", x, [])
    for j in (0, 3):
        x = b("dense", x, [C, L(str(j), "Linear")], units=4096)
        x = b("relu", x, [C, L(str(j + 1), "ReLU")])
        x = b("dropout", x, [C, L(str(j + 2), "Dropout")], rate=0.5)
    x = b("dense", x, [C, L("6", "Linear")], units=1000)
    return b.model("VGG", [x])


def vit():
    b = B()
    x = b.g.port("x", (224, 224, 3), "float32")
    x = conv(b, x, [], "conv_proj", 768, 16, stride=16)
    x = b("reshape", x, [], sizes=(196, 768))
    E = L("encoder", "Encoder")
    t = b.weight([], "class_token", (1, 768))
    x = b("concat", (t, x), [], axis=0)
    pe = b.weight([E], "pos_embedding", (197, 768))
    x = b("+", (x, pe), [E])
    x = b("dropout", x, [E, L("dropout", "Dropout")], rate=0.0)
    for i in range(12):
        p = [E, L("layers", "Sequential"), L(f"encoder_layer_{i}", "EncoderBlock")]
        y = b("layernorm", x, [*p, L("ln_1", "LayerNorm")], epsilon=1e-6)
        y = b("multihead_attention", y, [*p, L("self_attention", "MultiheadAttention")], heads=12)
        y = b("dropout", y, [*p, L("dropout", "Dropout")], rate=0.0)
        x = b("+", (y, x), p)
        y = b("layernorm", x, [*p, L("ln_2", "LayerNorm")], epsilon=1e-6)
        q = [*p, L("mlp", "MLPBlock")]
        y = b("dense", y, [*q, L("0", "Linear")], units=3072)
        y = b("gelu", y, [*q, L("1", "GELU")])
        y = b("dropout", y, [*q, L("2", "Dropout")], rate=0.0)
        y = b("dense", y, [*q, L("3", "Linear")], units=768)
        y = b("dropout", y, [*q, L("4", "Dropout")], rate=0.0)
        x = b("+", (x, y), p)
    x = b("layernorm", x, [E, L("ln", "LayerNorm")], epsilon=1e-6)
    x = b("first", x, [])
    x = b("dense", x, [L("heads", "Sequential"), L("head", "Linear")], units=1000)
    return b.model("VisionTransformer", [x])


def bert():
    b = B()
    ids = b.g.port("input_ids", (symbol("T"),), "int")
    tt = b.g.port("token_type_ids", b.g.shapes[ids], "int")
    b.g.vocabulary(ids, 30522)
    b.g.vocabulary(tt, 2)
    E = [L("embeddings", "BertEmbeddings")]
    w = b("embedding", ids, [*E, L("word_embeddings", "Embedding")], vocabulary=30522, units=768)
    t = b("embedding", tt, [*E, L("token_type_embeddings", "Embedding")], vocabulary=2, units=768)
    x = b("+", (w, t), E)
    x = b("positional_encoding", x, [*E, L("position_embeddings", "Embedding")], learned=True, length=512)
    x = b("layernorm", x, [*E, L("LayerNorm", "LayerNorm")], epsilon=1e-12)
    x = b("dropout", x, [*E, L("dropout", "Dropout")], rate=0.1)
    for i in range(12):
        p = [L("encoder", "BertEncoder"), L("layer", "ModuleList"), L(str(i), "BertLayer")]
        a = [*p, L("attention", "BertAttention")]
        s = [*a, L("self", "BertSelfAttention")]
        q = b("dense", x, [*s, L("query", "Linear")], units=768)
        k = b("dense", x, [*s, L("key", "Linear")], units=768)
        v = b("dense", x, [*s, L("value", "Linear")], units=768)
        y = b("attention", (q, v, k), s)
        o = [*a, L("output", "BertSelfOutput")]
        y = b("dense", y, [*o, L("dense", "Linear")], units=768)
        y = b("dropout", y, [*o, L("dropout", "Dropout")], rate=0.1)
        y = b("+", (y, x), o)
        x = b("layernorm", y, [*o, L("LayerNorm", "LayerNorm")], epsilon=1e-12)
        middle = [*p, L("intermediate", "BertIntermediate")]
        y = b("dense", x, [*middle, L("dense", "Linear")], units=3072)
        y = b("gelu", y, [*middle, L("intermediate_act_fn", "GELUActivation")])
        o = [*p, L("output", "BertOutput")]
        y = b("dense", y, [*o, L("dense", "Linear")], units=768)
        y = b("dropout", y, [*o, L("dropout", "Dropout")], rate=0.1)
        y = b("+", (y, x), o)
        x = b("layernorm", y, [*o, L("LayerNorm", "LayerNorm")], epsilon=1e-12)
    P = [L("pooler", "BertPooler")]
    f = b("first", x, P)
    f = b("dense", f, [*P, L("dense", "Linear")], units=768)
    f = b("tanh", f, [*P, L("activation", "Tanh")])
    return b.model("BertModel", [x, f])


def densenet(config=(6, 12, 24, 16)):
    b = B()
    x = b.g.port("x", (224, 224, 3), "float32")
    F = L("features", "Sequential")
    x = conv(b, x, [F], "conv0", 64, 7, stride=2, padding=3, bias=False)
    x = bn(b, x, [F], "norm0")
    x = b("relu", x, [F, L("relu0", "ReLU")])
    x = b("maxpool", x, [F, L("pool0", "MaxPool2d")], kernel=(3, 3), stride=2, padding=1)
    c = 64
    for i, n in enumerate(config):
        D = [F, L(f"denseblock{i + 1}", "_DenseBlock")]
        fs = [x]
        for j in range(n):
            p = [*D, L(f"denselayer{j + 1}", "_DenseLayer")]
            y = b("concat", tuple(fs), p) if len(fs) > 1 else fs[0]
            y = bn(b, y, p, "norm1")
            y = b("relu", y, [*p, L("relu1", "ReLU")])
            y = conv(b, y, p, "conv1", 128, 1, bias=False)
            y = bn(b, y, p, "norm2")
            y = b("relu", y, [*p, L("relu2", "ReLU")])
            y = conv(b, y, p, "conv2", 32, 3, padding=1, bias=False)
            fs.append(y)
            c += 32
        x = b("concat", tuple(fs), D)
        if i < 3:
            T = [F, L(f"transition{i + 1}", "_Transition")]
            c //= 2
            x = bn(b, x, T, "norm")
            x = b("relu", x, [*T, L("relu", "ReLU")])
            x = conv(b, x, T, "conv", c, 1, bias=False)
            x = b("avgpool", x, [*T, L("pool", "AvgPool2d")], kernel=(2, 2))
    x = bn(b, x, [F], "norm5")
    x = b("relu", x, [])
    x = b("global_avgpool", x, [])
    x = b("dense", x, [L("classifier", "Linear")], units=1000)
    return b.model("DenseNet", [x])


def mobile():
    b = B()
    x = b.g.port("x", (224, 224, 3), "float32")
    F = L("features", "Sequential")
    c = 32

    def cna(x, p, f, k, s=1, g=1):
        x = conv(b, x, p, "0", f, k, stride=s, padding=k // 2, groups=g, bias=False)
        x = bn(b, x, p, "1")
        return b("relu6", x, [*p, L("2", "ReLU6")])

    x = cna(x, [F, L("0", "Conv2dNormActivation")], 32, 3, 2)
    i = 1
    for t, o, n, s in [
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    ]:
        for j in range(n):
            p = [F, L(str(i), "InvertedResidual")]
            C = [*p, L("conv", "Sequential")]
            y = x
            k = 0
            if t != 1:
                y = cna(y, [*C, L("0", "Conv2dNormActivation")], t * c, 1)
                k = 1
            st = s if j == 0 else 1
            y = cna(y, [*C, L(str(k), "Conv2dNormActivation")], t * c, 3, st, t * c)
            y = conv(b, y, C, str(k + 1), o, 1, bias=False)
            y = bn(b, y, C, str(k + 2))
            x = b("+", (x, y), p) if st == 1 and c == o else y
            c = o
            i += 1
    x = cna(x, [F, L("18", "Conv2dNormActivation")], 1280, 1)
    x = b("global_avgpool", x, [])
    C = L("classifier", "Sequential")
    x = b("dropout", x, [C, L("0", "Dropout")], rate=0.2)
    x = b("dense", x, [C, L("1", "Linear")], units=1000)
    return b.model("MobileNetV2", [x])


def googlenet():
    b = B()
    x = b.g.port("x", (224, 224, 3), "float32")

    def bc(x, p, f, k, s=1, pd=0):
        x = conv(b, x, p, "conv", f, k, stride=s, padding=pd, bias=False)
        x = b("batchnorm", x, [*p, L("bn", "BatchNorm2d")], epsilon=0.001)
        return b("relu", x, p)

    BC = "BasicConv2d"

    def mp(x, n, k, s, **a):
        return b("maxpool", x, [L(n, "MaxPool2d")], kernel=(k, k), stride=s, rounding=Word("ceil"), **a)

    x = bc(x, [L("conv1", BC)], 64, 7, 2, 3)
    x = mp(x, "maxpool1", 3, 2)
    x = bc(x, [L("conv2", BC)], 64, 1)
    x = bc(x, [L("conv3", BC)], 192, 3, 1, 1)
    x = mp(x, "maxpool2", 3, 2)
    for n, c in [
        ("3a", (64, 96, 128, 16, 32, 32)),
        ("3b", (128, 128, 192, 32, 96, 64)),
        (None, 3),
        ("4a", (192, 96, 208, 16, 48, 64)),
        ("4b", (160, 112, 224, 24, 64, 64)),
        ("4c", (128, 128, 256, 24, 64, 64)),
        ("4d", (112, 144, 288, 32, 64, 64)),
        ("4e", (256, 160, 320, 32, 128, 128)),
        (None, 2),
        ("5a", (256, 160, 320, 32, 128, 128)),
        ("5b", (384, 192, 384, 48, 128, 128)),
    ]:
        if n is None:
            x = mp(x, "maxpool3", c, 2)
            continue
        p = [L("inception" + n, "Inception")]
        S = "Sequential"
        y1 = bc(x, [*p, L("branch1", BC)], c[0], 1)
        y2 = bc(x, [*p, L("branch2", S), L("0", BC)], c[1], 1)
        y2 = bc(y2, [*p, L("branch2", S), L("1", BC)], c[2], 3, 1, 1)
        y3 = bc(x, [*p, L("branch3", S), L("0", BC)], c[3], 1)
        y3 = bc(y3, [*p, L("branch3", S), L("1", BC)], c[4], 3, 1, 1)
        y4 = b(
            "maxpool",
            x,
            [*p, L("branch4", S), L("0", "MaxPool2d")],
            kernel=(3, 3),
            stride=1,
            padding=1,
            rounding=Word("ceil"),
        )
        y4 = bc(y4, [*p, L("branch4", S), L("1", BC)], c[5], 1)
        x = b("concat", (y1, y2, y3, y4), p)
    x = b("global_avgpool", x, [])
    x = b("dropout", x, [L("dropout", "Dropout")], rate=0.2)
    x = b("dense", x, [L("fc", "Linear")], units=1000)
    return b.model("GoogLeNet", [x])


def bilstm():
    b = B()
    x = b.g.port("tokens", (symbol("T"),), "int")
    b.g.vocabulary(x, 5000)
    x = b("embedding", x, [L("embedding", "Embedding")], vocabulary=5000, units=100)
    inner = ImportedStep("bidirectional", (("step", ImportedStep("lstm", (("units", 128),), (), ())),), (), ())
    x = b("stacked", x, [L("lstm", "LSTM")], n=2, step=inner)
    x = b("dense", x, [L("fc", "Linear")], units=2)
    return b.model("Classifier", [x])
