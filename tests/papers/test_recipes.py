"""Recipes: what the search tries, which setting it finds, and the same rows at half length."""

from dataclasses import asdict, replace

import pytest

from reidlib.experiments import Part, Row, Run
from reidlib.experiments.records import Record, write_record
from reidlib.papers.recipes import (
    APPEARANCE,
    GAIT,
    PRETRAINING,
    THREE_D,
    best,
    final,
    half_length,
    on_validation,
    search,
)

PART = Run("agw", "street", "baseline/agw", iterations=20)
ELSEWHERE = Run("agw", "stills", "baseline/agw", iterations=8, parts=(PART,))
RUN = Run("agw", "street", "baseline/agw", iterations=30, parts=(PART, Part(ELSEWHERE, frozen=True)))


def write(row, seed, figures, **scores):
    groups = {group: {"mAP": 0.0, "excluding": 0.0, "including": 0.0} for group in row.run.conditions or ("usual",)}
    for group, value in scores.items():
        groups[group] |= {"excluding" if row.run.conditions else "mAP": value}
    record = Record(
        paper="baseline",
        config=asdict(row.run),
        config_hash=row.run.hash,
        seed=seed,
        data={"name": "", "fingerprint": ""},
        scores=groups,
        queries={},
        seconds={"training": 0, "evaluation": 0},
        peak_memory_mib=1,
        environment={},
    )
    write_record(record, figures)


@pytest.mark.parametrize("recipe", [PRETRAINING, APPEARANCE, GAIT, THREE_D])
def test_a_run_takes_what_the_recipe_says(recipe):
    run = Run("agw", "street", **recipe.fields())
    names = ("iterations", "learning_rate", "ids_per_batch", "clips_per_id", "num_frames", "crop")
    assert [getattr(run, name) for name in names] == [getattr(recipe, name) for name in names]
    assert run.model_options.get("weights") == recipe.weights


@pytest.mark.parametrize("recipe", [APPEARANCE, GAIT, THREE_D])
def test_what_is_searched_sees_as_many_clips_and_holds_the_recipe_itself(recipe):
    assert {p * k for p, k in recipe.batches} == {recipe.ids_per_batch * recipe.clips_per_id}
    assert recipe.learning_rate in recipe.rates and (recipe.ids_per_batch, recipe.clips_per_id) in recipe.batches


def test_a_search_is_three_rates_times_two_batches_at_half_length_on_validation_worlds():
    recipe = replace(APPEARANCE, rates=(0.001, 0.003, 0.01), batches=((16, 2), (8, 4)))
    rows = search("choices", "AGW", RUN, recipe, columns={"mAP": ("usual", "mAP")})
    assert [row.label for row in rows] == [
        "AGW, rate 0.001, 16 × 2",
        "AGW, rate 0.001, 8 × 4",
        "AGW, rate 0.003, 16 × 2",
        "AGW, rate 0.003, 8 × 4",
        "AGW, rate 0.01, 16 × 2",
        "AGW, rate 0.01, 8 × 4",
    ]
    for row in rows:
        assert list(row.all_seeds) == [1000, 1001] and row.columns == {"mAP": ("usual", "mAP")}
        assert (row.run.data, row.run.iterations) == ("street_validation", 15)
        assert [(part.run.data, part.run.iterations) for part in row.run.parts] == [
            ("street_validation", 10),
            ("stills", 4),
        ]
        assert {part.run.learning_rate for part in row.run.parts} == {PART.learning_rate}
    run = rows[3].run
    assert (run.learning_rate, run.ids_per_batch, run.clips_per_id) == (0.003, 8, 4)


def test_parts_on_other_data_stay_there():
    run = on_validation(replace(RUN, parts=(ELSEWHERE,)))
    assert run.parts[0].run == ELSEWHERE


def test_half_length_halves_all_that_is_trained_and_nothing_else():
    row = Row("I", "x", RUN, 6, keep_features=True, keep_network=True, columns={"mAP": ("usual", "mAP")})
    [half] = half_length([row])
    assert half.table == "I, half the training" and not half.keep_network and not half.keep_features
    assert replace(half, table="I", run=RUN, keep_features=True, keep_network=True) == row
    assert half.run.iterations == 15
    assert [part.run.iterations for part in half.run.parts] == [10, 4]
    assert half.run.parts[1].run.parts[0].run.iterations == 10 and half.run.parts[1].frozen
    assert [half_length([replace(row, seeds=seeds)])[0].seeds for seeds in (3, 6, 10)] == [3, 6, 6]
    untrained = RUN.of_parts(PART)
    assert half_length([replace(row, run=untrained)])[0].run.parts[0].run.iterations == 10


def test_the_second_stage_is_what_is_left_at_the_whole_length():
    rows = final("choices", "AGW", RUN, [(1e-2, 8, 4), (1e-3, 16, 2)])
    assert [row.label for row in rows] == [
        "AGW, rate 0.01, 8 × 4, whole length",
        "AGW, rate 0.001, 16 × 2, whole length",
    ]
    assert all((row.table, row.first_seed, row.seeds) == ("choices", 1000, 2) for row in rows)
    chosen = [(row.run.learning_rate, row.run.ids_per_batch, row.run.clips_per_id) for row in rows]
    assert chosen == [(1e-2, 8, 4), (1e-3, 16, 2)]
    fields = {"learning_rate": 0.5, "ids_per_batch": 1, "clips_per_id": 1}
    assert {replace(row.run, **fields).hash for row in rows} == {replace(on_validation(RUN), **fields).hash}


def test_the_best_has_the_highest_mean_over_both_worlds(tmp_path):
    first, second, third = rows = search("choices", "AGW", RUN, replace(APPEARANCE, batches=((16, 2),)))
    for row, scores in ((first, (0.6, 0.1)), (second, (0.3, 0.5)), (third, (0.2, 0.3))):
        for seed, score in zip((1000, 1001), scores):
            assert best("baseline", rows, tmp_path) is None
            write(row, seed, tmp_path, usual=score)
    assert best("baseline", rows, tmp_path) == second


def test_across_views_the_best_has_the_highest_mean_over_conditions(tmp_path):
    run = replace(RUN, data="lab", evaluation="cross-view", conditions=("nm", "cl"))
    rows = search("choices", "x", run, replace(GAIT, rates=(0.1, 0.2), batches=((8, 4),)))
    for row, nm, cl in zip(rows, (0.9, 0.7), (0.1, 0.4)):
        for seed in row.all_seeds:
            write(row, seed, tmp_path, nm=nm, cl=cl)
    assert best("baseline", rows, tmp_path) == rows[1]
