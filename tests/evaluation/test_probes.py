"""Linear probes against scikit-learn's ridge regression, and R² by hand."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from reidlib.evaluation import explained_variance, linear_prediction, probes


@pytest.fixture
def drawn():
    """Features of 120 clips of 20 people, what is to be read off them (easy, hard), and 50 other features."""
    rng = np.random.default_rng(0)
    known, unseen = (rng.standard_normal((n, 30)) * rng.uniform(0.1, 9, 30) + 5 for n in (120, 50))
    weights = rng.standard_normal((30, 2)) / 9
    noise = rng.standard_normal((170, 2)) * [0.1, 30]
    everything = np.concatenate([known, unseen]) @ weights + noise
    return known, everything[:120], np.arange(120) % 20, unseen, everything[120:]


def test_predictions_are_those_of_ridge_regression(drawn, monkeypatch):
    known, values, people, unseen, _ = drawn
    for penalty in (0.1, 100.0):
        monkeypatch.setattr(probes, "PENALTIES", np.array([penalty]))
        expected = make_pipeline(StandardScaler(), Ridge(alpha=penalty)).fit(known, values).predict(unseen)
        np.testing.assert_allclose(linear_prediction(known, values, people, unseen), expected)


def test_each_value_has_the_penalty_that_predicts_other_people_best(drawn):
    known, values, people, unseen, true = drawn
    found = linear_prediction(known, values, people, unseen)
    chosen = []
    for k in range(2):
        grid = {"ridge__alpha": probes.PENALTIES}
        search = GridSearchCV(
            make_pipeline(StandardScaler(), Ridge()), grid, scoring="neg_mean_squared_error", cv=GroupKFold(5)
        )
        search.fit(known, values[:, k], groups=people)
        np.testing.assert_allclose(found[:, k], search.predict(unseen))
        chosen.append(search.best_params_["ridge__alpha"])
    assert chosen[0] < chosen[1]
    easy, hard = explained_variance(true, found)
    assert easy > 0.95 and -0.1 < hard < 0.2


def test_a_feature_that_does_not_vary_tells_nothing():
    known, unseen = np.ones((6, 2)), np.full((1, 2), 3.0)
    assert linear_prediction(known, [[0.0], [1.0]] * 3, [1, 1, 2, 2, 3, 3], unseen) == pytest.approx(0.5)


def test_explained_variance_by_hand_and_as_elsewhere(drawn):
    # about their mean the values spread by 4 + 0 + 4
    values = np.array([[0.0], [2.0], [4.0]])
    assert explained_variance(values, [[0.0], [2.0], [2.0]]) == 0.5
    assert explained_variance(values, [[2.0], [2.0], [2.0]]) == 0
    assert explained_variance(values, [[4.0], [2.0], [0.0]]) == -3
    _, values, _, _, _ = drawn
    said = values[::-1]
    np.testing.assert_allclose(explained_variance(values, said), r2_score(values, said, multioutput="raw_values"))


def test_what_does_not_fit_is_refused():
    known, values = np.ones((4, 2)), np.ones((4, 1))
    with pytest.raises(ValueError, match="of 1 people: expected as many values as features, and two people or more"):
        linear_prediction(known, values, [3, 3, 3, 3], known)
    with pytest.raises(ValueError, match="3 values of 4 features of 2 people"):
        linear_prediction(known, values[:3], [1, 1, 2, 2], known)
    with pytest.raises(ValueError, match="known and unseen differ"):
        linear_prediction(known, values, [1, 1, 2, 2], known[:, :1])
    for said in (values, values[:3]):
        with pytest.raises(ValueError, match="expected as many, of values that vary"):
            explained_variance(values, said)
