"""What layers and their arguments are called elsewhere, for those who come from there.

Names are compared without case, `_`, and an ending such as `2d`: `MaxPooling2D`, `max_pool2d` and `maxpool` are one.
"""

from __future__ import annotations

import re

from .base import LAYERS

# by the name elsewhere: the layer here
_LAYERS = {
    "convolution": "conv",
    "linear": "dense",
    "fc": "dense",
    "fullyconnected": "dense",
    "innerproduct": "dense",
    "affine": "dense",
    "lazylinear": "dense",
    "deconv": "conv_transpose",
    "deconvolution": "conv_transpose",
    "transposedconv": "conv_transpose",
    "depthwiseconvolution": "depthwise_conv",
    "sepconv": "separable_conv",
    "maxpooling": "maxpool",
    "averagepooling": "avgpool",
    "averagepool": "avgpool",
    "avgpooling": "avgpool",
    "meanpool": "avgpool",
    "globalaveragepooling": "global_avgpool",
    "globalaveragepool": "global_avgpool",
    "gap": "global_avgpool",
    "globalmaxpooling": "global_maxpool",
    "gmp": "global_maxpool",
    "adaptiveaveragepool": "adaptive_avgpool",
    "batchnormalization": "batchnorm",
    "bn": "batchnorm",
    "layernormalization": "layernorm",
    "groupnormalization": "groupnorm",
    "instancenormalization": "instancenorm",
    "rmsnormalization": "rmsnorm",
    "lrn": "local_response_norm",
    "cat": "concat",
    "concatenate": "concat",
    "hstack": "concat",
    "vstack": "concat",
    "multiply": "mul",
    "subtract": "sub",
    "divide": "div",
    "upsampling": "upsample",
    "interpolate": "upsample",
    "zeropadding": "pad",
    "cropping": "crop",
    "pixelshuffle": "depth_to_space",
    "pixelunshuffle": "space_to_depth",
    "view": "reshape",
    "unsqueeze": "reshape",
    "expanddims": "reshape",
    "squeeze": "reshape",
    "permutedims": "permute",
    "droppath": "drop_path",
    "stochasticdepth": "drop_path",
    "activity": "activation",
    "mha": "multihead_attention",
    "swish": "silu",
    "hardswish": "hard_silu",
    "rectifier": "relu",
}
# ending counts: Dropout2d drops channels
_WITH_ENDING = {"dropout2d": "spatial_dropout", "dropout3d": "spatial_dropout", "featuredropout": "spatial_dropout"}

# by the name elsewhere: the arguments that it may be here
_ARGUMENTS: dict[str, tuple[str, ...]] = {
    "kernelsize": ("kernel",),
    "poolsize": ("kernel",),
    "filtersize": ("kernel",),
    "windowsize": ("kernel",),
    "window": ("kernel",),
    "ksize": ("kernel",),
    "outchannels": ("filters",),
    "channels": ("filters",),
    "numfilters": ("filters",),
    "numoutput": ("filters", "units"),
    "outfeatures": ("units",),
    "features": ("units", "filters"),
    "numunits": ("units",),
    "hiddensize": ("units",),
    "hiddendim": ("units",),
    "usebias": ("bias",),
    "p": ("rate",),
    "prob": ("rate",),
    "drop": ("rate",),
    "dropprob": ("rate",),
    "dropoutrate": ("rate",),
    "eps": ("epsilon",),
    "dim": ("axis", "axes"),
    "numgroups": ("groups",),
    "numheads": ("heads",),
    "keydim": ("key_size",),
    "dilationrate": ("dilation",),
    "negativeslope": ("slope",),
    "alpha": ("slope",),
    "numembeddings": ("vocabulary",),
    "inputdim": ("vocabulary",),
    "embeddingdim": ("units",),
    "outputdim": ("units",),
    "scalefactor": ("factor",),
    "ceilmode": ("rounding",),
    "countincludepad": ("count_padding",),
    "depthmultiplier": ("multiplier",),
    "act": ("activation",),
    "nonlinearity": ("activation",),
    "affine": ("scale",),
    "kernelinitializer": ("init",),
    "embeddingsinitializer": ("init",),
    "depthwiseinitializer": ("init",),
    "initializer": ("init",),
    "kernelregularizer": ("l2",),
    "embeddingsregularizer": ("l2",),
    "depthwiseregularizer": ("l2",),
    "regularizer": ("l2",),
    "weightdecay": ("l2",),
}
# by a word of an option elsewhere: what it may be here, beside the names of layers
_WORDS = {"sum": "add", "ave": "average", "mean": "average"}
_KNOWN = "what comes in is known: leave it out"
_OUTSIDE = "this is not part of what a net is: leave it out"
# arguments that have no place here
_NEEDLESS = {
    **dict.fromkeys(("inchannels", "infeatures", "inputshape", "inputsize", "inputdim", "numfeatures", "cin"), _KNOWN),
    **dict.fromkeys(("inplace", "device", "dtype", "training", "trackrunningstats"), _OUTSIDE),
    "dataformat": "channels come last in the language, whatever the framework does: leave it out",
    "trainable": "weights are held still by `frozen=true`",
    "returnsequences": "write `return=sequence`",
    "returnstate": "write `return=(last, state)`",
    "numlayers": "several in a row are `stack(2, lstm(64))`",
    "bidirectional": "write `bidirectional(lstm(64))`",
    "gobackwards": "write `reverse=true`",
    "batchfirst": "the batch is never written: leave it out",
    "batchsize": "the batch is never written: leave it out",
}

# modules of other languages, which stand before the names of their layers
MODULES = frozenset(
    (
        "nn",
        "F",
        "K",
        "tf",
        "torch",
        "keras",
        "layers",
        "ops",
        "tfa",
        "functional",
        "self",
        "model",
        "np",
        "jnp",
        "torchvision",
    )
)
# what is asked of a value elsewhere
ATTRIBUTES = {
    "size": "shape",
    "dim": "rank",
    "ndim": "rank",
    "dims": "shape",
    "width": "shape[1]",
    "height": "shape[0]",
}
# those of images only
SIDES = frozenset(("width", "height"))
# figures of a net
FIGURES = {"flops": "macs", "multadds": "macs", "weights": "params", "numparams": "params"}


def _plain(name: str) -> str:
    return name.lower().replace("_", "")


def _without_ending(name: str) -> str:
    return re.sub(r"[123]d", "", name)


def layer_for(name: str) -> str | None:
    """The layer that is called so elsewhere."""
    plain = _plain(name.rpartition(".")[2])
    own = {_plain(kind): kind for kind in LAYERS}
    for known in (_WITH_ENDING.get(plain), _LAYERS.get(_without_ending(plain)), own.get(_without_ending(plain))):
        if known in LAYERS and known != name:
            return known
    return None


def foreign_word(word: str, known: tuple[str, ...]) -> str:
    """What to write for a word of another library, where `known` are those there are; empty where that is open."""
    same = next((w for w in (_WORDS.get(_plain(word)), layer_for(word)) if w in known), None)
    return f"here it is `{same}`" if same else ""


def foreign_argument(name: str, known: list[str]) -> str:
    """What to write for an argument of another library, where `known` are those there are; empty where that is open."""
    same = next((a for a in _ARGUMENTS.get(_plain(name), ()) if a in known), "")
    return f"here it is `{same}`" if same else _NEEDLESS.get(_plain(name), "")
