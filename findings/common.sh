# Shared by the scripts beside it. `install PACKAGE==VERSION...` makes an environment in a temporary folder, which goes
# away at the end; `run` runs Python code from standard input there. PYTHON names the interpreter (3.11 was used).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

install() {
  "${PYTHON:-python3}" -m venv "$folder/venv"
  "$folder/venv/bin/pip" install --quiet --disable-pip-version-check "$@"
}

run() {
  cat > "$folder/finding.py"
  (cd "$folder" && "$folder/venv/bin/python" -W ignore finding.py)
}
