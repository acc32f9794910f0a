// Runs that are over: the page has their reports, and what these do not have is asked of the networks.

data.runs.forEach((run, index) => {
  for (const overlay of run.overlays) overlay.image ??= `drawn?run=${index}&name=${overlay.name}`;
});
openOrbit();
