// What pages do where there is script. Everything works without it.
"use strict";

// A person was there, as the node counts it: told to all pages of the session (below).
const present = () => document.dispatchEvent(new Event("presence"));

(() => {
  // A session that nobody uses locks on the node; the page goes then, so that nobody reads it from behind. By the clock, for timers stand still while a
  // machine sleeps. What somebody does on any page of the session moves the moment on, here as on the node.
  const locksIn = Number(document.body?.dataset.locksIn);
  if (!(locksIn > 0)) return;
  const WARNS = Math.min(60000, locksIn / 4);
  let until = 0, warning = null;
  const used = () => {
    until = Date.now() + locksIn + 1000;
    warning?.remove();
    warning = null;
  };
  const warn = () => {
    const toast = document.createElement("p"), words = document.createElement("span"), stay = document.createElement("button");
    toast.className = "m-toast";
    words.textContent = "Sans activité, cette page se verrouille dans moins d’une minute.";
    stay.type = "button";
    stay.className = "btn btn-secondary m-btn-sm";
    stay.textContent = "Rester connecté";
    // Any page that is asked for will do.
    stay.addEventListener("click", async () => {
      const answer = await fetch("/compte", { redirect: "error" }).catch(() => null);
      if (answer?.ok) present();
    });
    toast.append(words, stay);
    document.getElementById("toasts")?.append(toast);
    warning = toast;
  };
  const look = () => {
    const left = until - Date.now();
    if (left <= WARNS && left > 0 && !warning) warn();
    if (left > 0) return;
    const here = location.pathname + location.search;
    location.assign("/deverrouiller?retour=" + encodeURIComponent(here));
  };
  const pages = globalThis.BroadcastChannel && new BroadcastChannel("presence");
  pages?.addEventListener("message", used);
  document.addEventListener("presence", () => {
    used();
    pages?.postMessage(null);
  });
  // This page was asked for a moment ago.
  present();
  setInterval(look, 5000);
  document.addEventListener("visibilitychange", look);
  addEventListener("pageshow", look);
})();

(() => {
  // What happens meanwhile comes as events (web/live.rs).
  if (!globalThis.htmx) return;
  // Over HTTP/1.1 a browser has six connections for all pages of a site: a page that nobody looks at, or that was left, gives its own back.
  const [visit] = performance.getEntriesByType("navigation");
  if (visit?.nextHopProtocol === "http/1.1") htmx.config.sse = { ...htmx.config.sse, pauseOnBackground: true };
  let waits = 0;
  const named = () => {
    const title = document.title.replace(/^\(\d+\) /, "");
    const name = waits > 0 ? `(${waits}) ${title}` : title;
    if (document.title !== name) document.title = name;
  };
  // A part that is loaded again brings the page's name without the count.
  new MutationObserver(named).observe(document.querySelector("title"), { childList: true });
  const region = () => document.getElementById("vivant");
  const said = (event) => JSON.parse(event.detail.data);

  document.addEventListener("compte", (event) => {
    const counts = said(event);
    for (const mark of document.querySelectorAll("[data-compte]")) {
      const count = counts[mark.dataset.compte] ?? 0;
      mark.firstElementChild.textContent = count;
      mark.hidden = count === 0;
    }
    waits = counts.alertes + counts.invitations;
    named();
  });

  // Whether somebody is writing there: what they have typed is not taken from under their hands.
  const isWriting = (part) => {
    const fields = [...part.querySelectorAll("textarea, input:not([type=hidden]), select")];
    return fields.some((field) => field === document.activeElement || (field.defaultValue ?? field.value) !== field.value);
  };
  // At most once a second; alerts wait less, also behind what waits already.
  const APART = 1000, APART_ALERTS = 250;
  let last = 0, timer = 0, due = 0;
  const refresh = (apart) => {
    const at = Math.max(Date.now(), last + apart);
    if (timer && due <= at) return;
    clearTimeout(timer);
    due = at;
    timer = setTimeout(() => {
      timer = 0;
      const part = region();
      if (!part) return;
      if (isWriting(part)) {
        document.getElementById("nouveau").hidden = false;
        return;
      }
      last = Date.now();
      htmx.ajax("GET", location.pathname + location.search, {
        source: "#vivant", target: "#vivant", select: "#vivant", swap: "outerMorph", headers: { "X-Maillon-Alone": "1" },
      });
    }, at - Date.now());
  };
  document.addEventListener("nouveau", (event) => {
    const what = event.detail.data;
    if (region()?.dataset.vivant.split(" ").includes(what)) refresh(what === "attente" ? APART_ALERTS : APART);
  });

  // What a part of a page asks for by itself is no sign of a person, nor what a locked node refuses.
  document.addEventListener("htmx:after:request", (event) => {
    const { request, response } = event.detail.ctx;
    if (!request.headers["X-Maillon-Alone"] && response.status !== 401) present();
  });

  // What a page says once is said long enough.
  for (const toast of document.querySelectorAll("#toasts .m-toast")) setTimeout(() => toast.remove(), 8000);

  document.addEventListener("alerte", (event) => {
    const alert = said(event), toast = document.createElement("p"), link = document.createElement("a");
    toast.className = "m-toast";
    link.href = alert.adresse;
    link.textContent = `Nouvelle alerte\u00a0: ${alert.personne}`;
    toast.append(link);
    document.getElementById("toasts").append(toast);
    setTimeout(() => toast.remove(), 20000);
  });

  document.addEventListener("fin", () => location.reload());
})();

(() => {
  // Without script nothing can be printed by a button: it is shown where there is some.
  document.documentElement.dataset.script = "";
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-imprimer]")) print();
  });
})();

(() => {
  // What is being written is kept on the node, sealed, and nothing of it in the browser (web/dossier/draft.rs).
  const form = document.querySelector("form[data-brouillon]");
  if (!form) return;
  const state = form.querySelector("[data-etat]");
  let timer = 0, open = false, lost = false, sends = false;
  const body = () => {
    const typed = [...new FormData(form)].filter(([, value]) => typeof value === "string");
    return new URLSearchParams([...typed, ["forme", form.dataset.forme]]);
  };
  const keep = async (leaves = false) => {
    clearTimeout(timer);
    if (!open) return true;
    open = false;
    try {
      const answer = await fetch(form.dataset.brouillon, { method: "POST", body: body(), keepalive: leaves, redirect: "error" });
      if (!answer.ok) throw new Error(String(answer.status));
      present();
      lost = false;
      state.textContent = "Brouillon enregistré.";
    } catch {
      open = lost = true;
      state.textContent = "Maillon ne répond pas\u00a0: votre texte n’est que sur cet écran. Gardez cette page ouverte.";
      timer = setTimeout(keep, 5000);
    }
    return !lost;
  };
  form.addEventListener("input", () => {
    open = true;
    clearTimeout(timer);
    timer = setTimeout(keep, lost ? 5000 : 700);
  });
  // First kept, then sent: what is lost on the way is begun again where it was.
  form.addEventListener("submit", async (event) => {
    if (sends || !open) return;
    event.preventDefault();
    const { submitter } = event;
    if (!(await keep())) return;
    sends = true;
    form.requestSubmit(submitter);
  });
  addEventListener("pageshow", () => { sends = false; });
  addEventListener("online", () => keep());
  document.addEventListener("visibilitychange", () => { if (document.hidden) keep(true); });
  addEventListener("beforeunload", (event) => {
    if (sends || !open) return;
    if (lost) event.preventDefault();
    else keep(true);
  });
})();
