// What pages do where there is script. Everything works without it.
"use strict";

(() => {
  // A session that nobody uses locks on the node; the page shows it then, so that nobody reads it from behind.
  const locksIn = Number(document.body?.dataset.locksIn);
  if (locksIn > 0) {
    setTimeout(() => {
      const here = location.pathname + location.search;
      location.assign("/deverrouiller?retour=" + encodeURIComponent(here));
    }, locksIn + 1000);
  }
})();
