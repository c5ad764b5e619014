"""Padded sequences: the mask of an embedding, all the way to the recurrent layers behind it."""

import numpy as np
import pytest
import twins
from checking import check

from netspec.reference import Reference
from netspec.weights import samples

SENTIMENT = """
net sentiment {
  input words [T] int(9)
  embedding(9, 4, mask=true) -> dropout(0.2) -> dense(5, activation=tanh)
  seen, h = bidirectional(lstm(3, return=sequence)) -> layernorm -> gru(4, return=(sequence, state))
  concat(seen -> stack(2, rnn(3)), h) -> dense(2)
}
"""


def reference(text):
    net = check(text)
    assert net.ok, net.diagnostics
    return Reference(net, samples.random_weights(net, np.random.default_rng(0)))


def test_padding_changes_nothing():
    model = reference(SENTIMENT)
    words = np.array([[3, 1, 4, 1, 5]])
    wanted = model(words=words)
    np.testing.assert_allclose(model(words=np.pad(words, ((0, 0), (0, 3)))), wanted, atol=1e-12)
    np.testing.assert_allclose(model(words=np.array([[3, 0, 1, 4, 0, 0, 1, 5]])), wanted, atol=1e-12)
    plain = reference(SENTIMENT.replace(", mask=true", ""))
    assert abs(plain(words=np.pad(words, ((0, 0), (0, 3)))) - plain(words=words)).max() > 1e-3


@pytest.mark.parametrize("style", ["functional", "subclass"])
def test_both_frameworks_skip_the_same_steps(style):
    errors = twins.compare(check(SENTIMENT), sizes=({"T": 7}, {"T": 4}), style=style, dtype="float64")
    assert max(errors.values()) < 1e-9


def test_it_is_the_mask_of_keras():
    import keras
    from keras import layers

    net = check("net n { input words [T] int(9); embedding(9, 4, mask=true) -> lstm(3) }")
    rng = np.random.default_rng(1)
    weights = samples.random_weights(net, rng)
    model = keras.Sequential([layers.Embedding(9, 4, mask_zero=True), layers.LSTM(3)])
    words = np.pad(rng.integers(1, 9, (3, 5)), ((0, 0), (0, 4)))
    model(words)
    given = {name.rpartition(".")[2]: array for name, array in weights.items()}
    model.layers[0].set_weights([given["table"]])
    model.layers[1].set_weights([given["kernel"], given["recurrent_kernel"], given["bias"]])
    np.testing.assert_allclose(np.array(model(words)), Reference(net, weights)(words=words), atol=1e-6)


SHARED = """
net pair {
  input a [S] int(9)
  input b [S] int(9)
  layer words = embedding(9, 4, mask=true)
  layer reader = gru(3)
  concat(a -> words -> reader, b -> words -> reader) -> dense(2)
}
"""


def test_each_use_of_a_shared_embedding_has_its_own_mask():
    model = reference(SHARED)
    a, b = np.array([[3, 1, 4, 0, 0]]), np.array([[2, 7, 1, 8, 3]])
    short = reference(SHARED.replace("b [S]", "b [R]"))
    np.testing.assert_allclose(model(a=a, b=b), short(a=a[:, :3], b=b), atol=1e-12)
    twins.compare(check(SHARED), sizes=({"S": 6},), dtype="float64")


def said(text):
    """Each warning: its code, the text that it points at, and what it says of other places."""
    net = check(f"block enc {{ input x; dense(4) -> lstm(3, return=sequence) }}\nnet n {{\n{text}\n}}")
    assert net.ok, net.diagnostics
    return [(d.code, d.primary.span.text, [o.text for o in d.others]) for d in net.diagnostics]


HEAD = "input words [T] int(9)\nembedding(9, 4, mask=true)"


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD} -> lstm(3)",
        f"{HEAD} -> batchnorm -> relu -> lstm(3, return=sequence) -> softmax -> gru(2)",
        f"{HEAD}\nconcat(identity, dense(3)) -> lstm(3)",
        f"{HEAD} + (words -> embedding(9, 4)) -> positional_encoding -> rnn(3)",
        f"{HEAD} -> lstm(3) -> repeat_vector(5) -> lstm(2)",
    ],
)
def test_what_is_done_step_by_step_keeps_the_mask(text):
    assert said(text) == []


def test_a_lost_mask_is_told():
    mixed = "it ends here: what comes out is not made step by step"
    begun = "it begins here"
    unused = ("lost-mask", "embedding(9, 4, mask=true)", [mixed])
    late = ("lost-mask", "lstm(3)", [mixed, begun])
    assert said(f"{HEAD} -> conv(4, 3, padding=same) -> lstm(3)") == [unused, late]
    assert said(f"{HEAD} -> global_avgpool -> dense(3)") == [unused]
    assert said(f"{HEAD}\nmultihead_attention(2) -> relu -> lstm(3)")[1] == late
    (_, (_, place, others)) = said(f"{HEAD} -> enc -> lstm(3)")
    assert place == "lstm(3)"
    assert others[0] == "it ends here: a block knows nothing of masks outside"
    assert said(f"{HEAD}\nlstm(3, mask=words > 1)")[0][1] == "embedding(9, 4, mask=true)"
