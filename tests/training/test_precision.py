"""Precision by device: what a processor can, and what it is told to be."""

import pytest
import torch

from reidlib.training import precision
from reidlib.training.precision import autocast, computes_bfloat16, processor, used_precision

CPU = torch.device("cpu")


@pytest.fixture
def machine(monkeypatch):
    """`machine(capability, **capabilities)`: imitate a processor."""

    def make(capability="AVX512", **able):
        monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
        plain = {"architecture": "x86_64", "amx_bf16": False, "avx512_bf16": False, "cpu_name": "Imitation"}
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: plain | able)
        monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)

    return make


@pytest.mark.parametrize(
    ("capability", "able", "native"),
    [
        ("AVX512", {"amx_bf16": True, "avx512_bf16": True}, True),
        ("AVX512", {"avx512_bf16": True}, True),
        ("AVX512", {}, False),  # AVX-512 without bfloat16 instructions emulates them
        ("AVX2", {}, False),
        ("AVX2", {"amx_bf16": True, "avx512_bf16": True}, False),  # told to be less: ATEN_CPU_CAPABILITY=avx2
        ("DEFAULT", {"architecture": "arm64", "bf16": True}, True),
        ("DEFAULT", {"architecture": "arm64", "bf16": False}, False),
    ],
)
def test_which_processors_compute_bfloat16(machine, capability, able, native):
    machine(capability, **able)
    assert computes_bfloat16(CPU) == native
    assert used_precision("bf16", CPU) == ("bf16" if native else "no")
    assert used_precision("no", CPU) == "no"


@pytest.mark.parametrize(("limit", "native"), [("AVX2", False), ("AVX512_CORE", False), ("AVX512_CORE_AMX", True)])
def test_a_limit_of_onednn_counts(machine, monkeypatch, limit, native):
    machine(amx_bf16=True)
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", limit)
    assert computes_bfloat16(CPU) == native


def test_a_gpu_answers_for_itself_whatever_the_processor_is(machine, monkeypatch):
    machine("AVX2")
    asked = []
    monkeypatch.setattr(
        torch.cuda, "is_bf16_supported", lambda including_emulation: not asked.append(including_emulation)
    )
    assert computes_bfloat16(torch.device("cuda")) and asked == [False]
    assert not computes_bfloat16(torch.device("meta"))


def test_autocast_computes_in_what_is_used(machine):
    layer = torch.nn.Linear(2, 2)
    for able, dtype in (({"amx_bf16": True}, torch.bfloat16), ({}, torch.float32)):
        machine(**able)
        with autocast("bf16", CPU):
            assert layer(torch.ones(1, 2)).dtype == dtype


def test_this_machine_is_named():
    assert all(processor().values()) and processor().keys() == {"processor", "instruction set"}
    with pytest.raises(ValueError, match='precision=\'fp16\': expected "bf16" or "no"'):
        precision.used_precision("fp16", CPU)
