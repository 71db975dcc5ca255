#!/bin/sh
# sh tools/with.sh LOCK COMMAND...: run COMMAND in an environment that holds what LOCK pins, and this project.
#
# The environment is .venv, made here on first use and renewed when LOCK changes (the copy of LOCK inside it tells).
# An active conda environment is used instead, unless it is conda's own "base".
# A fault of the machine is one sentence and exit 7.
set -eu

fail() {
    printf '%s (exit 7)\n' "$*" >&2
    exit 7
}

version_of() {
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null
}

supported() {
    case $1 in
        3.11 | 3.12 | 3.13) ;;
        *) return 1 ;;
    esac
}

find_python() {
    found=
    lacking=
    for name in python3 python3.13 python3.12 python3.11; do
        version=$(version_of "$name") || continue
        supported "$version" || { found="$found $version" && continue; }
        if "$name" -c 'import ensurepip, venv' 2>/dev/null; then
            echo "$name"
            return
        fi
        lacking=$name
    done
    [ -z "$lacking" ] || fail "$lacking cannot make a virtual environment with pip: install the system package" \
        "python3-venv (Debian, Ubuntu: apt install python3-venv) and run make again"
    fail "Python 3.11, 3.12 or 3.13 is needed; found:${found:- none}"
}

make_venv() {
    python=$(find_python)
    echo "making .venv with Python $(version_of "$python") from $lock: a few minutes the first time" >&2
    supported "$(version_of .venv/bin/python)" && .venv/bin/python -c 'import pip' 2>/dev/null ||
        "$python" -m venv --clear .venv || fail "$python could not make .venv: the reason stands above"
    pip="env PIP_DISABLE_PIP_VERSION_CHECK=1 .venv/bin/python -m pip install --quiet"
    $pip --require-hashes -r "$lock" || fail "pip could not install $lock: the reason stands above"
    $pip --no-deps --no-build-isolation -e . || fail "pip could not install this project: the reason stands above"
    cp "$lock" ".venv/$lock"
}

lock=$1
shift
if [ -n "${CONDA_PREFIX:-}" ] && [ "${CONDA_DEFAULT_ENV:-}" != base ] && [ -x "$CONDA_PREFIX/bin/python" ]; then
    bin=$CONDA_PREFIX/bin
    case $lock in
        *test*) needs="abm_lib, pytest, playwright, pyspark, apprise, dlt, sqlalchemy" extras='[dev,notify,pdf,pull,spark]' ;;
        *) needs=abm_lib extras= ;;
    esac
    "$bin/python" -I -c "import $needs" 2>/dev/null || "$bin/python" -m pip install --quiet -e ".$extras" ||
        fail "pip could not install this project into the conda environment $CONDA_PREFIX: the reason stands above"
else
    bin=$PWD/.venv/bin
    # The test lock holds all of the report lock, so that a tested .venv also makes reports.
    [ -x "$bin/python" ] && { cmp -s "$lock" ".venv/$lock" ||
        cmp -s requirements-test.lock .venv/requirements-test.lock; } || make_venv
fi
PATH=$bin:$PATH
export PATH
exec "$@"
