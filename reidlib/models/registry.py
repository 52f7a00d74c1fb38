"""Networks by name. A network of the package adds its file and one line in `_NETWORKS`; your own is `register`ed."""

import importlib
import inspect
from collections.abc import Callable

from reidlib.models.network import Network

SCALES = ("paper", "mini")
_NETWORKS: dict[str, str | type[Network]] = {  # name -> module and class, imported when its network is asked for
    "agw": "reidlib.models.agw:AGW",
    "asanet": "reidlib.models.asanet:ASANet",
    "amem": "reidlib.models.amem:AMEM",
    "ap3d": "reidlib.models.ap3d:AP3D",
    "arm": "reidlib.models.arm:ARM",
    "chance": "reidlib.models.descriptors:Chance",
    "colour_histogram": "reidlib.models.descriptors:ColourHistogram",
    "cosam": "reidlib.models.cosam:COSAM",
    "ensemble": "reidlib.models.ensemble:Ensemble",
    "gaitbase": "reidlib.models.gaitbase:GaitBase",
    "gaitgl": "reidlib.models.gaitgl:GaitGL",
    "gaitmask": "reidlib.models.gaitmask:GaitMask",
    "gaitset": "reidlib.models.gaitset:GaitSet",
    "efficientnet_lite0": "reidlib.models.efficientnet_lite:EfficientNetLite0",
    "gradient_histogram": "reidlib.models.descriptors:GradientHistogram",
    "i3d": "reidlib.models.video:I3D",
    "m3d": "reidlib.models.m3d:M3D",
    "mean_silhouette": "reidlib.models.descriptors:MeanSilhouette",
    "modified_gaitset": "reidlib.models.modified_gaitset:ModifiedGaitSet",
    "nonlocal3d": "reidlib.models.nonlocal3d:NonLocal3D",
    "p3d": "reidlib.models.video:P3D",
    "parsing": "reidlib.models.parsing:Parsing",
    "perceptual": "reidlib.models.perceptual:Perceptual",
    "pretraining": "reidlib.models.pretraining:Pretraining",
    "r3d": "reidlib.models.video:R3D",
    "seqmasks": "reidlib.models.seqmasks:SeqMasks",
    "sta": "reidlib.models.sta:STA",
    "tae": "reidlib.models.texture:TextureAutoEncoder",
    "tclnet": "reidlib.models.tclnet:TCLNet",
    "sshsp": "reidlib.models.sshsp:SSHSP",
}


def list_models() -> list[str]:
    """The names that `create_model` knows, in alphabetical order."""
    return sorted(_NETWORKS)


def own_models() -> list[str]:
    """The names of networks that were registered beside the package's."""
    return sorted(name for name, network in _NETWORKS.items() if not isinstance(network, str))


def register(name: str) -> Callable[[type[Network]], type[Network]]:
    """Decorator that makes a network of your own known by a name.

    The class builds from keyword arguments alone, `scale` and `num_ids` among them; reidlib/experiments/YOUR_OWN.md
    shows one from its file to its row in a table. TypeError for what is no network, ValueError for a name that is taken
    by another class.
    """

    def added(network: type[Network]) -> type[Network]:
        if not (isinstance(network, type) and issubclass(network, Network)):
            raise TypeError(f"{network!r} is no network: expected a class that inherits from reidlib.models.Network")
        path = f"{network.__module__}:{network.__qualname__}"
        known = _NETWORKS.get(name, network)
        if (known if isinstance(known, str) else f"{known.__module__}:{known.__qualname__}") != path:
            raise ValueError(f"a network is called {name!r} already ({known}); choose another name")
        _NETWORKS[name] = network
        return network

    return added


def create_model(name: str, *, scale: str = "paper", **options) -> Network:
    """Build a network on the CPU, randomly initialised unless an option says otherwise.

    scale: "paper" (sizes as published) or "mini" (the same classes, narrower, for one CPU thread).
    options: the keyword arguments of the network's class; most need `num_ids`, the number of training
    identities.

    >>> create_model("agw", num_ids=625, scale="mini").classifier.out_features
    625

    Raises ValueError for an unknown name or scale, TypeError for an unknown or missing option.
    """
    if name not in _NETWORKS:
        raise ValueError(f"no network is called {name!r}; known networks: {', '.join(list_models())}")
    if scale not in SCALES:
        raise ValueError(f"scale={scale!r}; known scales: {', '.join(SCALES)}")
    network = _NETWORKS[name]
    if isinstance(network, str):
        module, class_name = network.split(":")
        network = getattr(importlib.import_module(module), class_name)
    known = {key: p for key, p in inspect.signature(network).parameters.items() if key != "scale"}
    required = {key for key, p in known.items() if p.default is p.empty}
    if unknown := options.keys() - known:
        raise TypeError(f"{name} has no option {', '.join(sorted(unknown))}; its options: {', '.join(known)}")
    if missing := required - options.keys():
        raise TypeError(f"{name} needs {', '.join(sorted(missing))}; its options: {', '.join(known)}")
    return network(scale=scale, **options)
