"""What the field calls things, in PyTorch, Keras and papers, and what they are called here.

Names stand without case, `_`, and an ending such as `2d`: `MaxPooling2D`, `max_pool2d` and `maxpool` are one. Nothing
reads these tables unless a name is unknown.
"""

from __future__ import annotations

# by the name elsewhere: the layer here
LAYERS_ELSEWHERE = {
    "convolution": "conv",
    "lazyconv": "conv",
    "linear": "dense",
    "fc": "dense",
    "fullyconnected": "dense",
    "innerproduct": "dense",
    "affine": "dense",
    "lazylinear": "dense",
    "densegeneral": "dense",
    "projection": "dense",
    "deconv": "conv_transpose",
    "deconvolution": "conv_transpose",
    "transposedconv": "conv_transpose",
    "transposeconv": "conv_transpose",
    "upconv": "conv_transpose",
    "depthwiseconvolution": "depthwise_conv",
    "depthwise": "depthwise_conv",
    "dwconv": "depthwise_conv",
    "sepconv": "separable_conv",
    "maxpooling": "maxpool",
    "averagepooling": "avgpool",
    "averagepool": "avgpool",
    "avgpooling": "avgpool",
    "meanpool": "avgpool",
    "globalaveragepooling": "global_avgpool",
    "globalaveragepool": "global_avgpool",
    "globalpool": "global_avgpool",
    "gap": "global_avgpool",
    "globalmaxpooling": "global_maxpool",
    "gmp": "global_maxpool",
    "adaptiveaveragepool": "adaptive_avgpool",
    "adaptiveaveragepooling": "adaptive_avgpool",
    "batchnormalization": "batchnorm",
    "syncbatchnorm": "batchnorm",
    "bn": "batchnorm",
    "ln": "layernorm",
    "gn": "groupnorm",
    "layernormalization": "layernorm",
    "groupnormalization": "groupnorm",
    "instancenormalization": "instancenorm",
    "rmsnormalization": "rmsnorm",
    "lrn": "local_response_norm",
    "localresponsenormalization": "local_response_norm",
    "cat": "concat",
    "concatenate": "concat",
    "hstack": "concat",
    "vstack": "concat",
    "merge": "concat",
    "multiply": "mul",
    "subtract": "sub",
    "divide": "div",
    "truedivide": "div",
    "upsampling": "upsample",
    "zeropadding": "pad",
    "constantpad": "pad",
    "zeropad": "pad",
    "cropping": "crop",
    "centercrop": "crop",
    "view": "reshape",
    "ravel": "flatten",
    "unsqueeze": "expand",
    "expanddims": "expand",
    "newaxis": "expand",
    "permutedims": "permute",
    "moveaxis": "permute",
    "movedim": "permute",
    "swapaxes": "transpose",
    "swapdims": "transpose",
    "flip": "reverse",
    "stochasticdepth": "drop_path",
    "activity": "activation",
    "mha": "multihead_attention",
    "selfattention": "multihead_attention",
    "multiheadselfattention": "multihead_attention",
    "mhsa": "multihead_attention",
    "scaleddotproductattention": "attention",
    "sdpa": "attention",
    "flashattention": "attention",
    "dotproductattention": "attention",
    "bahdanauattention": "additive_attention",
    "positionencoding": "positional_encoding",
    "sinusoidalpositionalencoding": "positional_encoding",
    "sinepositionencoding": "positional_encoding",
    "simplernn": "rnn",
    "elmanrnn": "rnn",
    "cudnnlstm": "lstm",
    "cudnngru": "gru",
    "timedistributed": "each_step",
    "vmap": "each_step",
    "clamp": "clip",
    "clipbyvalue": "clip",
    "absolute": "abs",
    "amax": "max",
    "amin": "min",
    "reducemax": "max",
    "reducemin": "min",
    "reducesum": "sum",
    "reducemean": "mean",
    "reducestd": "std",
    "reducevariance": "var",
    "variance": "var",
    "stddev": "std",
    "mm": "matmul",
    "bmm": "matmul",
    "cosinesimilarity": "cosine",
    "onehotencoding": "one_hot",
    "categoryencoding": "one_hot",
    "astype": "cast",
    "noop": "identity",
    "passthrough": "identity",
    "reparameterize": "sample_normal",
    "reparametrize": "sample_normal",
    "lrelu": "leaky_relu",
    "parametricrelu": "prelu",
    "thresholdedrelu": "threshold",
    "logistic": "sigmoid",
    "rectifier": "relu",
}
# ending counts: Dropout2d drops channels
WITH_ENDING = {"dropout2d": "spatial_dropout", "dropout3d": "spatial_dropout", "featuredropout": "spatial_dropout"}

_STEPS = "steps stand below one another, or are joined by `->`"
_TURNS = "several steps of one kind are `repeat n { ... }`, or `for i in 0..n { ... }`"
_BLOCK = "a part of a net is a `block name(parameters) { ... }`"
_BEGINS = "how weights begin is an argument without brackets: `dense(10, init=he_normal)`"
_OUTSIDE = "a spec says what a net is; how it is trained stays in the code that trains it"
_DATA = "this is done to the data before they come in; a spec begins with what the net is given"
_NUMBERS = "numbers that are fixed are `weight name [n] init=zeros frozen=true`, or stand in the formula: `x + 1`"
_PLACES = (
    "places are picked in brackets: `x[:, 0:3]`, `x[..., [0, 2]]`; rows of a weight at whole numbers that come in: "
    "`table[tokens]`"
)
_NO_SORT = "the language does not sort; `max` and `argmax` find the largest"
_NO_INVERSE = "the language has `sin`, `cos` and `tanh`, and no inverse of them"
_SHUFFLE = (
    "`depth_to_space` has TensorFlow's order of channels; PyTorch's, for [h, w, c*r*r], is\n"
    "`reshape(h, w, c, r, r) -> permute(0, 3, 1, 4, 2) -> reshape(h*r, w*r, c)`"
)
_UNSHUFFLE = (
    "`space_to_depth` has TensorFlow's order of channels; PyTorch's, for [h*r, w*r, c], is\n"
    "`reshape(h, r, w, r, c) -> permute(0, 2, 4, 1, 3) -> reshape(h, w, c*r*r)`"
)
_ROTARY = "the language has no rotary positions as a layer; `positional_encoding` adds waves, or learned vectors"
_POSITIONS = "positions are added by `positional_encoding`, learned ones by `positional_encoding(learned=true)`"
_ENCODER = 'a layer of one is `from "std/transformer.net" import encoder_layer`, then `encoder_layer(8)`'
_DECODER = (
    'a layer of one is `from "std/transformer.net" import decoder_layer`, then `decoder_layer(x, memory, heads=8)`'
)
_CONV_NORM = 'that is `from "std/conv.net" import conv_norm_act`, then `conv_norm_act(64)`'
_EXCITE = 'that is `from "std/squeeze.net" import squeeze_excite`, then `squeeze_excite(16)`'
_INVERTED = 'that is `from "std/separable.net" import inverted_residual`'
_RESIDUAL = "a sum with what comes in is `add(identity, { ... })`; blocks of ResNets are in `std/residual.net`"
_STEP_OF = "a whole recurrence is `lstm(64)`, `gru(64)` or `rnn(64)`; a step of one's own is a `cell`, run by `scan`"
_GATED = "write it out: `(x -> dense(n) -> {}) * (x -> dense(n))`"
_MASKED = "padding is skipped where whole numbers become vectors: `embedding(..., mask=true)`"
_NO_POOL = "the language has no such pool; there are `maxpool`, `avgpool`, `lppool` and the adaptive ones"
_QUERIES = "each head has keys and values of its own here; fewer are written out with `dense` and `einsum`"

# by the name elsewhere: what to do, where that is not one layer
ADVICE = {
    # containers, and what is not part of a net
    "model.add": _STEPS,
    **dict.fromkeys(("self.add", "model.append"), _STEPS),
    **dict.fromkeys(("l1", "l2", "l1l2"), "a penalty is an argument of the layer: `dense(10, l2=0.01)`"),
    **dict.fromkeys(("glorotuniform", "glorotnormal", "heuniform", "henormal"), _BEGINS),
    **dict.fromkeys(("xavieruniform", "xaviernormal", "kaiminguniform", "kaimingnormal"), _BEGINS),
    **dict.fromkeys(("lecununiform", "lecunnormal", "orthogonal", "torchuniform", "randomnormal"), _BEGINS),
    **dict.fromkeys(("sequential", "chain", "compose", "pipeline"), _STEPS),
    **dict.fromkeys(("modulelist", "moduledict", "parameterlist", "layerlist"), _TURNS),
    **dict.fromkeys(("module", "layer", "model", "functional", "lambda", "subclass"), _BLOCK),
    **dict.fromkeys(("inputlayer", "inputs", "placeholder"), "an input is `input x [28, 28, 1]`"),
    **dict.fromkeys(("parameter", "variable", "addweight", "createparameter"), "a weight is `weight name [n, m]`"),
    **dict.fromkeys(("registerbuffer", "buffer", "tensor", "astensor", "asarray"), _NUMBERS),
    **dict.fromkeys(("zeros", "ones", "full", "eye", "arange", "linspace", "zeroslike", "oneslike"), _NUMBERS),
    **dict.fromkeys(("randn", "rand", "randnlike"), "noise is `gaussian_noise`, a draw `sample_normal`"),
    **dict.fromkeys(("adam", "adamw", "sgd", "rmsprop", "optimizer", "compile", "fit", "loss", "train"), _OUTSIDE),
    **dict.fromkeys(("crossentropy", "crossentropyloss", "mse", "mseloss", "bce", "bceloss", "nllloss"), _OUTSIDE),
    **dict.fromkeys(("learningrate", "epochs", "metrics", "backward", "checkpoint", "savemodel"), _OUTSIDE),
    **dict.fromkeys(("stopgradient", "detach", "freeze", "nograd"), "weights are held still by `frozen=true`"),
    **dict.fromkeys(("normalization", "normalize2d"), "write it: `(x - 0.45) / 0.22`"),
    **dict.fromkeys(("randomcrop", "randomflip", "randomrotation", "randomzoom", "augment"), _DATA),
    **dict.fromkeys(("textvectorization", "stringlookup", "hashing", "tokenizer"), _DATA),
    **dict.fromkeys(("rescaling", "rescale"), "numbers are scaled by operators: `x / 255`"),
    **dict.fromkeys(("print", "summary", "inputshape", "size"), "`netspec check` shows the shapes of all layers"),
    "forward": "the statements of a net are its forward pass",
    "call": "the statements of a net are its forward pass",
    # numbers and lists of Python
    "enumerate": "places are counted by `for i in 0..len(sizes) { ... }`",
    "zip": "a list of pairs is gone over by `for (a, b) in [(1, 8), (2, 16)] { ... }`",
    **dict.fromkeys(("int", "float"), "whole numbers are made by `floor`, `ceil` and `round`"),
    "str": "words stand bare, and texts are not worked out",
    "pi": "write 3.141592653589793",
    # shapes and places
    **dict.fromkeys(("gather", "take", "takealongaxis", "indexselect", "select", "narrow", "embeddinglookup"), _PLACES),
    **dict.fromkeys(("unbind", "unstack"), "slices take them out: `x[0]`, `x[1]`"),
    **dict.fromkeys(
        ("scatter", "scatteradd", "indexadd", "segmentsum", "scattermean"),
        "the language has no scatter; a sum by places is an `einsum` with a `one_hot` of them",
    ),
    **dict.fromkeys(("maskedfill", "maskedselect"), "`where(x > 0, x, 0)` chooses number by number"),
    **dict.fromkeys(
        ("tile", "repeat", "repeatinterleave", "broadcastto", "expandas", "broadcast"),
        "operators and joins spread an axis of 1 by themselves; `concat(x, x)` puts copies one behind the other",
    ),
    **dict.fromkeys(("rearrange", "einops"), "`reshape` and `permute` do that; sums over axes are `einsum`"),
    **dict.fromkeys(
        ("resize", "resizing", "interpolate", "bilinearupsample", "upsamplingbilinear"),
        "a grid is made finer by a whole factor: `upsample(2)`, or `upsample(2, mode=bilinear)`",
    ),
    **dict.fromkeys(("pixelshuffle", "subpixel", "subpixelconv"), _SHUFFLE),
    "pixelunshuffle": _UNSHUFFLE,
    **dict.fromkeys(("unfold", "im2col", "patchify"), "cells that do not overlap become channels: `space_to_depth(2)`"),
    **dict.fromkeys(("reflectionpad", "reflectpad"), "write `pad(1, mode=reflect)`"),
    **dict.fromkeys(("replicationpad", "replicatepad"), "write `pad(1, mode=edge)`"),
    "circularpad": "the cells of the other end are `concat(x[-1:], x, x[0:1], axis=0)`",
    **dict.fromkeys(("gridsample", "affinegrid", "roialign", "roipool"), "the language has no sampling between cells"),
    **dict.fromkeys(("contiguous", "clone", "copy", "cpu", "cuda"), "leave it out: values are never changed in place"),
    # numbers
    "argmin": "write `-x -> argmax`",
    **dict.fromkeys(("prod", "reduceprod", "product", "cumprod"), "of numbers above 0 it is `exp(sum(log(x)))`"),
    "cumsum": "there is no running sum; a `cell` adds step by step, run by `scan`",
    **dict.fromkeys(("sort", "argsort", "topk", "median", "quantile", "unique", "nonzero"), _NO_SORT),
    **dict.fromkeys(("atan", "arctan", "asin", "arcsin", "acos", "arccos", "atan2", "arctan2"), _NO_INVERSE),
    "tan": "write `sin(x) / cos(x)`",
    "sinh": "write `(exp(x) - exp(-x)) / 2`",
    "cosh": "write `(exp(x) + exp(-x)) / 2`",
    **dict.fromkeys(("atanh", "arctanh"), "write `log((1 + x) / (1 - x)) / 2`"),
    "logsumexp": "write `log(sum(exp(x), axis=-1))`",
    "logit": "write `log(x / (1 - x))`",
    **dict.fromkeys(
        ("normalize", "l2normalize", "l2norm", "unitnormalization", "l2normalization"),
        "write `x / norm(x, axis=-1, keepdims=true)`",
    ),
    **dict.fromkeys(("pairwisedistance", "cdist", "euclidean", "distance"), "write `norm(a - b, axis=-1)`"),
    **dict.fromkeys(("tensordot", "inner", "kron"), "products over named axes are `einsum`"),
    **dict.fromkeys(("neg", "negative"), "write `-x`"),
    **dict.fromkeys(("floordivide", "floordiv"), "write `floor(a / b)`"),
    "lerp": "write `a + 0.5 * (b - a)`",
    **dict.fromkeys(("fft", "rfft", "stft"), "the language has no Fourier transform"),
    **dict.fromkeys(("triu", "tril", "causalmask"), "later steps are hidden by `attention(..., causal=true)`"),
    # activations and norms
    "swiglu": _GATED.format("silu"),
    "geglu": _GATED.format("gelu"),
    "reglu": _GATED.format("relu"),
    "quickgelu": "write `x * sigmoid(1.702 * x)`",
    "softmin": "write `softmax(-x)`",
    "crelu": "write `concat(relu(x), relu(-x))`",
    **dict.fromkeys(("spectralnorm", "spectralnormalization", "weightnorm"), "the language has no norms of weights"),
    "layerscale": "write `weight gamma [c] init=constant(1e-6)` and `x * gamma`",
    # attention
    **dict.fromkeys(("rope", "rotary", "rotaryembedding", "rotarypositionembedding"), _ROTARY),
    **dict.fromkeys(
        ("positionembedding", "positionalembedding", "posembed", "posembedding", "positionembeddings"), _POSITIONS
    ),
    **dict.fromkeys(("alibi", "relativepositionbias"), "the language has no biases by distance in its attention"),
    "crossattention": "the value that asks stands first: `multihead_attention(x, memory, heads=8)`",
    **dict.fromkeys(("groupedqueryattention", "gqa", "multiqueryattention", "mqa"), _QUERIES),
    **dict.fromkeys(("transformer", "transformerencoder", "transformerencoderlayer", "transformerblock"), _ENCODER),
    "encoderblock": _ENCODER,
    **dict.fromkeys(("transformerdecoder", "transformerdecoderlayer", "decoderblock"), _DECODER),
    "clstoken": 'that is `from "std/transformer.net" import class_token`',
    **dict.fromkeys(("patchembed", "patchembedding"), "write `conv(n, 16x16, stride=16) -> reshape(-1, n)`"),
    **dict.fromkeys(("moe", "mixtureofexperts"), "experts are blocks, weighed by a `softmax` and added"),
    # recurrence
    **dict.fromkeys(("lstmcell", "grucell", "rnncell", "simplernncell", "mgu"), _STEP_OF),
    **dict.fromkeys(("bilstm", "birnn"), "write `bidirectional(lstm(64))`"),
    "bigru": "write `bidirectional(gru(64))`",
    "stackedlstm": "write `stack(2, lstm(64))`",
    "embeddingbag": "write `embedding(1000, 64) -> mean(axis=0)`",
    **dict.fromkeys(("masking", "packpaddedsequence", "padpackedsequence"), _MASKED),
    # units of several layers
    **dict.fromkeys(("pointwise", "pointwiseconv", "conv1x1", "networkinnetwork"), "write `conv(64, 1x1)`"),
    **dict.fromkeys(("dilatedconv", "atrousconv", "atrous"), "write `conv(64, 3x3, dilation=2)`"),
    "causalconv": "write `conv(64, 3, padding=causal)`",
    **dict.fromkeys(("groupconv", "groupedconv"), "write `conv(64, 3x3, groups=4)`"),
    **dict.fromkeys(("convbn", "convbnrelu", "convbnact", "cbr", "convnormact", "basicconv"), _CONV_NORM),
    **dict.fromkeys(("se", "selayer", "seblock", "squeezeexcitation", "sqex"), _EXCITE),
    **dict.fromkeys(("residual", "resblock", "residualblock", "shortcut", "basicblock"), _RESIDUAL),
    **dict.fromkeys(("mbconv", "fusedmbconv"), _INVERTED),
    **dict.fromkeys(("maxunpool", "fractionalmaxpool", "stochasticpool", "softpool", "minpool"), _NO_POOL),
    **dict.fromkeys(("mlp", "ffn"), "write `dense(256, activation=relu) -> dense(64)`"),
    **dict.fromkeys(("dropblock", "dropconnect"), "the language has `dropout`, `spatial_dropout` and `drop_path`"),
}

# by the name elsewhere: the arguments that it may be here
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "kernelsize": ("kernel",),
    "poolsize": ("kernel",),
    "filtersize": ("kernel",),
    "windowsize": ("kernel",),
    "window": ("kernel",),
    "ksize": ("kernel",),
    "outchannels": ("filters",),
    "channels": ("filters",),
    "cout": ("filters",),
    "numfilters": ("filters",),
    "nfilters": ("filters",),
    "filter": ("filters",),
    "numoutput": ("filters", "units"),
    "outfeatures": ("units",),
    "features": ("units", "filters"),
    "numunits": ("units",),
    "neurons": ("units",),
    "hidden": ("units",),
    "hiddensize": ("units",),
    "hiddendim": ("units",),
    "strides": ("stride",),
    "pad": ("padding",),
    "pads": ("padding",),
    "usebias": ("bias",),
    "p": ("rate",),
    "prob": ("rate",),
    "drop": ("rate",),
    "dropprob": ("rate",),
    "dropoutrate": ("rate", "dropout"),
    "dropoutp": ("dropout",),
    "eps": ("epsilon",),
    "dim": ("axis", "axes"),
    "dims": ("axes", "axis"),
    "keepdim": ("keepdims",),
    "numgroups": ("groups",),
    "numheads": ("heads",),
    "nhead": ("heads",),
    "nheads": ("heads",),
    "keydim": ("key_size",),
    "headdim": ("key_size",),
    "valuedim": ("key_size",),
    "iscausal": ("causal",),
    "usecausalmask": ("causal",),
    "dilationrate": ("dilation",),
    "dilations": ("dilation",),
    "negativeslope": ("slope",),
    "alpha": ("slope",),
    "numembeddings": ("vocabulary",),
    "vocabsize": ("vocabulary",),
    "inputdim": ("vocabulary",),
    "embeddingdim": ("units",),
    "embeddim": ("units",),
    "outputdim": ("units",),
    "maskzero": ("mask",),
    "numclasses": ("classes",),
    "depth": ("classes",),
    "scalefactor": ("factor",),
    "interpolation": ("mode",),
    "ceilmode": ("rounding",),
    "countincludepad": ("count_padding",),
    "depthmultiplier": ("multiplier",),
    "upscalefactor": ("factor", "block"),
    "act": ("activation",),
    "nonlinearity": ("activation",),
    "gamma": ("scale",),
    "beta": ("center",),
    "shifts": ("shift",),
    "initialstate": ("initial",),
    "h0": ("initial",),
    "minvalue": ("low",),
    "maxvalue": ("high",),
    "min": ("low",),
    "max": ("high",),
    "kernelinitializer": ("init",),
    "embeddingsinitializer": ("init",),
    "depthwiseinitializer": ("init",),
    "weightinit": ("init",),
    "initializer": ("init",),
    "kernelregularizer": ("l2",),
    "embeddingsregularizer": ("l2",),
    "depthwiseregularizer": ("l2",),
    "regularizer": ("l2",),
    "weightdecay": ("l2",),
}
# by a word of an option elsewhere: what it may be here, beside the names of layers
WORDS = {
    "sum": "add",
    "ave": "average",
    "mean": "average",
    "half": "same",
    "random": "normal",
    "true": "sequence",
    "reflection": "reflect",
    "replicate": "edge",
    "symmetric": "edge",
    "constant": "zeros",
    "linear": "bilinear",
    "xavier": "glorot_uniform",
    "xavieruniform": "glorot_uniform",
    "xaviernormal": "glorot_normal",
    "kaiming": "he_normal",
    "kaiminguniform": "he_uniform",
    "kaimingnormal": "he_normal",
    "he": "he_normal",
    "glorot": "glorot_uniform",
    "lecun": "lecun_normal",
    "randomnormal": "normal",
    "randomuniform": "uniform",
    "truncnormal": "truncated_normal",
    "zero": "zeros",
    "one": "ones",
    "sequences": "sequence",
    "all": "sequence",
}
# layers that take no arguments, by the name here, and what to do with some that are given
BARE = {
    **dict.fromkeys(("add", "sub", "mul", "div", "pow"), "numbers go with operators: `x + 1`, `2 * x`, `x ** 2`"),
    "linear": "the layer with weights is `dense`",
    "flatten": "the batch is never flattened: leave it out",
    "crop": "amounts for several axes stand in brackets: `crop((4, 4))`",
}
_KNOWN = "what comes in is known: leave it out"
_NOT_A_NET = "this is not part of what a net is: leave it out"
_MOMENTS = "`scale=false, center=false` leaves both learned numbers out"
# arguments that have no place here
NEEDLESS = {
    **dict.fromkeys(("inchannels", "infeatures", "inputshape", "inputsize", "inputdim", "numfeatures", "cin"), _KNOWN),
    **dict.fromkeys(("normalizedshape", "embeddim", "dmodel", "kdim", "vdim", "inputlength"), _KNOWN),
    **dict.fromkeys(("inplace", "device", "dtype", "training", "seed", "unroll", "implementation"), _NOT_A_NET),
    **dict.fromkeys(("needweights", "returnattentionscores", "sparse", "fused", "renorm"), _NOT_A_NET),
    **dict.fromkeys(("kernelconstraint", "biasconstraint", "maxnorm"), "the language has no constraints on weights"),
    **dict.fromkeys(("biasinitializer", "biasregularizer"), "biases begin at 0 and bear no penalty: leave it out"),
    **dict.fromkeys(("mask", "attnmask", "attentionmask", "keypaddingmask"), "later steps are hidden by `causal=true`"),
    **dict.fromkeys(("numkvheads", "kvheads", "numkeyvalueheads", "numquerygroups"), _QUERIES),
    "numparameters": _KNOWN,
    "causal": "write `padding=causal`",
    "global": "the whole map is taken by `global_avgpool` and `global_maxpool`",
    **dict.fromkeys(("startdim", "enddim"), "the batch is never flattened: leave it out"),
    **dict.fromkeys(("rotary", "rope", "rotaryemb", "rotaryembedding"), _ROTARY),
    "trackrunningstats": (
        "there is no norm by the batch alone: running means and variances stand in for it in use;\n"
        "`instancenorm`, `groupnorm` and `layernorm` keep none"
    ),
    "aligncorners": "corners are never aligned here: cells lie between their edges, as both frameworks have it",
    "size": "a grid is made finer by a factor: `upsample(2)`",
    "paddingmode": "cells that are not zero are put on before: `pad(1, mode=reflect) -> conv(...)`",
    "paddingidx": "0 is padding with `mask=true`",
    "output": "`output` is a statement of its own: `output name`",
    "dataformat": "channels come last in the language, whatever the framework does: leave it out",
    "trainable": "weights are held still by `frozen=true`",
    "requiresgrad": "weights are held still by `frozen=true`",
    "returnsequences": "write `return=sequence`",
    "returnstate": "write `return=(last, state)`",
    "numlayers": "several in a row are `stack(2, lstm(64))`",
    "bidirectional": "write `bidirectional(lstm(64))`",
    "gobackwards": "write `reverse=true`",
    "projsize": "a projection is a layer of its own: `lstm(64, return=sequence) -> dense(32)`",
    "batchfirst": "the batch is never written: leave it out",
    "batchsize": "the batch is never written: leave it out",
    **dict.fromkeys(("affine", "elementwiseaffine"), _MOMENTS),
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
        "jax",
        "flax",
        "math",
        "einops",
        "torchvision",
    )
)
# what is measured in training, and no figure of a net
TRAINING = frozenset(("loss", "accuracy", "error", "auc", "f1", "perplexity", "latency", "epochs"))
TRAINED = "a spec knows the figures of a net; what it learns is measured where it is trained"
# what is asked of a value elsewhere
ATTRIBUTES = {
    "size": "shape",
    "dim": "rank",
    "ndim": "rank",
    "dims": "shape",
    "ndims": "rank",
    "length": "shape[0]",
    "len": "shape[0]",
    "T": "shape[0]",
    "features": "channels",
    "C": "channels",
    "c": "channels",
    **dict.fromkeys(("width", "W", "w"), "shape[1]"),
    **dict.fromkeys(("height", "H", "h"), "shape[0]"),
}
# those of images only
SIDES = frozenset(("width", "height", "W", "w", "H", "h"))
# figures of a net
FIGURES = {
    **dict.fromkeys(("flops", "multadds", "operations"), "macs"),
    **dict.fromkeys(("weights", "numparams", "parameters", "totalparams", "nparams", "paramcount"), "params"),
    **dict.fromkeys(("trainableparams", "trainableparameters", "learnable"), "trainable"),
    **dict.fromkeys(("nontrainableparams", "frozen"), "non_trainable"),
    **dict.fromkeys(("outputshape", "outputs", "out"), "output"),
}
