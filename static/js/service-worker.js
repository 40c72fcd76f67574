/** Answers a page that cannot be fetched with one that says so. Nothing of an account is ever kept: only the offline page and its looks. */
const KEPT = "tapelog-offline-1";
const OFFLINE = "/offline/";
const LOOKS = [
  "/static/css/tokens.css",
  "/static/css/app.css",
  "/static/css/offline.css",
  "/static/icon.svg",
];

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(KEPT)
      .then((kept) => kept.addAll([OFFLINE, ...LOOKS]))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(forgetOlder().then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.mode === "navigate")
    event.respondWith(fetch(request).catch(() => caches.match(OFFLINE)));
  else if (LOOKS.includes(new URL(request.url).pathname))
    event.respondWith(fetch(request).catch(() => caches.match(request, { ignoreSearch: true })));
});

async function forgetOlder() {
  const names = await caches.keys();
  await Promise.all(
    names
      .filter((name) => name.startsWith("tapelog-offline") && name !== KEPT)
      .map((name) => caches.delete(name)),
  );
}
