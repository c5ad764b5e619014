"""Padded sequences: the mask of an embedding, all the way to the recurrent layers behind it."""

import numpy as np
import pytest
import twins
from checking import check

from netspec.layers.recurrence import Core
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


# --- random inputs ---------------------------------------------------------------------------------------------------

LARGE = "net n {{ input words [T] int(10000); embedding(10000, 6{}) -> gru(4) -> dense(2) }}"


def drawn(text, batch=6, **sizes):
    return samples.random_inputs(check(text), np.random.default_rng(0), batch, sizes)


def test_random_sequences_are_padded_where_a_mask_is():
    (words,) = drawn(LARGE.format(", mask=true"), T=9)
    (plain,) = drawn(LARGE.format(""), T=9)
    assert (plain > 0).all()
    np.testing.assert_array_equal(words[words > 0], plain[words > 0])
    assert words[0, 0] > 0 == words[0, -1]
    assert len({int((row > 0).sum()) for row in words}) > 2
    ends = [max(np.flatnonzero(row), default=-1) for row in words]
    assert any((row[: end + 1] == 0).any() for row, end in zip(words, ends))
    (again,) = drawn(LARGE.format(", mask=true"), T=9)
    np.testing.assert_array_equal(words, again)


@pytest.mark.parametrize("batch", [1, 2, 5])
@pytest.mark.parametrize("length", [1, 2, 3])
def test_not_all_is_padding(batch, length):
    for seed in range(20):
        net = check(LARGE.format(", mask=true"))
        (words,) = samples.random_inputs(net, np.random.default_rng(seed), batch, {"T": length})
        assert words[0, 0] > 0
        assert length == 1 or words[0, -1] == 0


def test_other_inputs_stay_as_they_are():
    text = """net n {{
  input words [T] int(7)
  input tags [T] int(5)
  input seen [T] bool
  input x [T, 3]
  read = words -> embedding(7, 4{})
  concat(read, tags -> embedding(5, 4), x) -> lstm(2, mask=seen)
}}"""
    masked, plain = (drawn(text.format(word), T=5) for word in (", mask=true", ""))
    assert (masked[0] != plain[0]).any()
    for one, other in zip(masked[1:], plain[1:]):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "text",
    [
        "words -> embedding(999, 2) -> gru(2, mask=words != 0)",
        "words -> embedding(999, 2) -> gru(2, mask=words > 0)",
        "words -> read",
        "repeat 1 { { words -> read } as part }",
        "reverse(words) -> read",
    ],
)
def test_masks_are_found_wherever_they_are_made(text):
    block = "block read { input w [t]; w -> embedding(999, 3, mask=true) -> gru(2) }\n"
    (words,) = drawn(f"{block}net n {{ input words [T] int(999); {text} }}", T=6)
    assert words[0, -1] == 0 < words[0, 0]


def test_sentences_of_texts_are_padded_one_by_one():
    block = "block read { input w [t]; w -> embedding(999, 3, mask=true) -> gru(2) }\n"
    (words,) = drawn(f"{block}net n {{ input words [S, W] int(999); each_step(read) -> gru(2) }}", 3, S=4, W=5)
    assert len({int((row > 0).sum()) for row in words.reshape(12, 5)}) > 2


def test_a_mask_that_is_not_heeded_is_found(monkeypatch):
    """Among 10,000 words no 0 would be drawn by chance, and nothing would be seen of it."""
    net = check(LARGE.format(", mask=true"))
    twins.compare(net, sizes=({"T": 6},), dtype="float64")
    run = Core.run
    monkeypatch.setattr(Core, "run", lambda self, x, states, w, mask, back: run(self, x, states, w, None, back))
    with pytest.raises(AssertionError):
        twins.compare(net, sizes=({"T": 6},), dtype="float64")
