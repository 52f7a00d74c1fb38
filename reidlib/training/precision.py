"""In which numbers a device computes: bfloat16 where that is native, float32 everywhere else.

A processor without bfloat16 instructions emulates them about ten times slower than float32. Networks and users need not
know: they ask for "bf16", and get it where it helps.
"""

import os
import platform
from typing import Literal

import torch

Precision = Literal["bf16", "no"]
_WITH_BFLOAT16 = ("ALL", "DEFAULT", "BF16", "FP16", "AMX", "AVX10")  # in the limits that oneDNN knows


def computes_bfloat16(device: torch.device) -> bool:
    """Whether a device multiplies matrices of bfloat16 natively.

    Of a GPU its own answer counts, without emulation. Of an x86 processor AMX or AVX-512 with bfloat16 instructions, of
    an Arm processor its bf16 extension, unless the environment tells PyTorch to compute as a lesser processor does
    (`ATEN_CPU_CAPABILITY`, `ONEDNN_MAX_CPU_ISA`).
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu":
        return False
    able = torch.cpu.get_capabilities()
    if able.get("architecture") == "x86_64":
        limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "ALL").upper()
        allowed = torch.backends.cpu.get_cpu_capability() == "AVX512" and any(word in limit for word in _WITH_BFLOAT16)
        return allowed and (able["amx_bf16"] or able["avx512_bf16"])
    return able.get("bf16", False)


def used_precision(precision: Precision, device: torch.device) -> Precision:
    """What a computation that may use `precision` uses on this device: "bf16", or "no" (float32).

    ValueError for another word.
    """
    if precision not in ("bf16", "no"):
        raise ValueError(f'precision={precision!r}: expected "bf16" or "no"')
    return "bf16" if precision == "bf16" and computes_bfloat16(device) else "no"


def autocast(precision: Precision, device: torch.device) -> torch.autocast:
    """The context in which a network computes under `precision` on this device."""
    return torch.autocast(device.type, torch.bfloat16, enabled=used_precision(precision, device) == "bf16")


def processor() -> dict[str, str]:
    """Name and instruction set of this machine's processor, as far as they are known."""
    able = torch.cpu.get_capabilities()
    return {
        "processor": str(able.get("cpu_name") or platform.processor() or platform.machine()),
        "instruction set": f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}",
    }
