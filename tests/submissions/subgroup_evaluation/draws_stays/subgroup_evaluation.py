"""The bootstrap draws encounters."""

import base_solution as base
import numpy as np

cluster_draws = base.cluster_draws
base.cluster_draws = lambda patients, draws, seed: cluster_draws(np.arange(len(patients)), draws, seed)
evaluate = base.evaluate
