# Sets up what ./check and ./demo need; to be sourced from the root of the checkout. Defines $python.
# Safe to run again at any time: where nothing is to be done it takes a fraction of a second.
# shellcheck shell=bash

environment=.venv
python=$environment/bin/python
stamp=$environment/set-up-from

# What the wheels of OpenCV and Open3D link to on Debian and Ubuntu. A name after a bar is the same library in newer
# releases.
libraries=("libgl1" "libglib2.0-0|libglib2.0-0t64" "libegl1" "libusb-1.0-0")

say() { printf '%s\n' "$*" >&2; }

give_up() {
    say "$@"
    exit 2
}

is_installed() { # 'name|other name'. Unlike `dpkg -s`, this says no for a package that was removed.
    local name
    for name in ${1//|/ }; do
        [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$name" 2>/dev/null)" = installed ] && return
    done
    return 1
}

apt_install() {
    say "Installing $*"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq </dev/null >&2 || say "apt-get update failed; going on with the package lists that are here."
    apt-get install --yes -qq --no-install-recommends -o DPkg::Lock::Timeout=300 "$@" </dev/null >&2
}

# Prints the name of the first Python that is new enough.
find_python() {
    local candidate
    for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    return 1
}

set_up_libraries() {
    local missing=() library base
    if ! command -v dpkg-query >/dev/null; then
        [ -e "$stamp" ] || say "This is no Debian or Ubuntu, so its packages are yours to see to: libGL, libEGL, libusb and GLib (for OpenCV and Open3D)."
        return
    fi
    for library in "${libraries[@]}"; do
        is_installed "$library" || missing+=("${library%%|*}")
    done
    # Asked of Python itself: only Debian's own comes without these modules.
    if ! command -v python3 >/dev/null; then
        missing+=(python3 python3-venv)
    elif [ ! -e "$stamp" ] && base=$(find_python) && ! "$base" -c 'import ensurepip, venv' 2>/dev/null; then
        missing+=("$base-venv")
    fi
    [ ${#missing[@]} -eq 0 ] && return
    [ "$(id -u)" -eq 0 ] || give_up "Packages of the system are missing. Install them, then run this again:
    sudo apt-get install ${missing[*]}"
    apt_install "${missing[@]}" || give_up "apt-get could not install ${missing[*]}; its message stands above."
}

# Chromium, for the tests that open the report; they find it by $CHROMIUM. Only continuous integration (CI=true) insists on it.
set_up_browser() {
    local found=${CHROMIUM:-$(command -v chromium || command -v google-chrome || true)}
    if [ -z "$found" ] && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null && apt_install chromium; then
        found=$(command -v chromium)
    fi
    if [ -n "$found" ]; then
        export CHROMIUM=$found
    elif [ "${CI:-}" = true ]; then
        give_up "No Chromium here and none could be installed; with CI=true the browser tests must run."
    else
        say "No Chromium here, so the browser tests will be skipped. To run them: sudo apt-get install chromium"
    fi
}

# .venv, made anew from constraints.txt whenever what it was made from has changed or the checkout has moved.
set_up_environment() {
    local base made_from quiet=--quiet
    made_from=$(pwd && cksum pyproject.toml constraints.txt)
    [ "$(cat "$stamp" 2>/dev/null)" = "$made_from" ] && return
    base=$(find_python) || give_up "fieldlens needs Python 3.11 or newer; python3 here is $(python3 --version 2>&1)."
    say "Setting up $environment (a minute or two, the first time)"
    rm -f "$stamp"
    "$python" -c '' 2>/dev/null || rm -rf "$environment" # the Python it was made with is gone
    "$base" -m venv "$environment"
    [ -t 2 ] && quiet= # a person may watch the downloads
    "$python" -m pip install $quiet --disable-pip-version-check -c constraints.txt -e '.[dev]' >&2 ||
        give_up "pip could not install what fieldlens needs; its message stands above."
    "$python" -c 'import cv2, open3d' || give_up "OpenCV or Open3D cannot be imported: a library of the system is missing, see above."
    printf '%s\n' "$made_from" >"$stamp"
}
