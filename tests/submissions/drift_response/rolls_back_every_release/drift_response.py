"""New releases are trouble: each is taken back in its first month."""

import base_solution as base


class Monitor(base.Monitor):
    def released(self, release, now, score, clean):
        if release.partition("+")[0] in self.vendors:
            return super().released(release, now, score, clean)
        super().released(release, now, score, clean)
        return self.back("bad_release", self.case)
