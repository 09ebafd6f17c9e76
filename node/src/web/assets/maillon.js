// What pages do where there is script. Everything works without it.
"use strict";

(() => {
  // A session that nobody uses locks on the node; the page goes then, so that nobody reads it from behind. By the clock, for timers stand still while a
  // machine sleeps.
  const locksIn = Number(document.body?.dataset.locksIn);
  if (!(locksIn > 0)) return;
  const until = Date.now() + locksIn + 1000;
  const look = () => {
    if (Date.now() < until) return;
    const here = location.pathname + location.search;
    location.assign("/deverrouiller?retour=" + encodeURIComponent(here));
  };
  setInterval(look, 5000);
  document.addEventListener("visibilitychange", look);
  addEventListener("pageshow", look);
})();
