"""The command `fieldlens`: finds the verb, runs it, and turns what went wrong into one sentence and an exit status."""

import importlib
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version

from fieldlens.configs.errors import InputError, did_you_mean
from fieldlens.verbs import DONE, INTERRUPTED, WRONG_INPUT

VERBS = {
    "fit": "fit a picture or a 3D scene and watch it being learnt: frames, video, explanation, report",
    "compare": "fit one picture or 3D scene under several encodings and set them side by side",
    "render": "draw a fitted field at any size, any region of it, or a film around a 3D scene",
    "export": "write the surface of a 3D scene as a mesh, or the depth of its held-out views",
    "analyze": "explain again what a fit is missing of its picture or 3D scene, from any checkpoint, without training",
    "paper": "measure the claims of Lazzari & Liu on fits of your own making",
    "scenes": "list what is built in",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; the result is the exit status: 0 done, 2 wrong input, 130 interrupted."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] in ("-h", "--help"):
        print(usage())
        return DONE if words else WRONG_INPUT
    if words[0] == "--version":
        print(f"fieldlens {version('fieldlens')}")
        return DONE
    verb, *rest = words
    try:
        if verb not in VERBS:
            raise InputError(f"unknown verb {verb!r}{did_you_mean(verb, VERBS)}")
        return importlib.import_module(f"fieldlens.verbs.{verb}").main(rest)
    except InputError as error:
        print(f"fieldlens: {error}", file=sys.stderr)
        return WRONG_INPUT
    except KeyboardInterrupt:
        print("fieldlens: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone; what the interpreter flushes at exit goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE


def usage() -> str:
    """What `fieldlens --help` prints."""
    verbs = "\n".join(f"  {verb:<9} {what}" for verb, what in VERBS.items())
    return (
        "fieldlens fits coordinate networks to pictures and 3D scenes, shows every step, and explains the detail that "
        "is missing.\n\n"
        f"usage: fieldlens VERB [options]\n\n{verbs}\n\n"
        "`fieldlens VERB --help` lists a verb's options. Try `fieldlens fit astronaut` or `fieldlens fit demo:teapot`."
    )
