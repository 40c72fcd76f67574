/** Answers a page that cannot be fetched with one that says so, and shows what an alert pushes. Nothing of an account is ever kept: only the offline page and its looks. */
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

/** An alert for this browser: `{ text, url }`, which only this browser could open. */
self.addEventListener("push", (event) => {
  const { text = "", url = "/alerts/events/" } = told(event.data);
  const options = { body: text, icon: "/static/icons/any-192.png", tag: url + text, data: { url } };
  event.waitUntil(self.registration.showNotification("Tapelog", options));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(show(new URL(event.notification.data?.url ?? "/", self.location.origin)));
});

function told(data) {
  try {
    return data?.json() ?? {};
  } catch {
    return {};
  }
}

/** A page of ours that is open, else a new one; only ever of this origin. */
async function show(url) {
  const address = url.origin === self.location.origin ? url.href : "/alerts/events/";
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const page = pages.find((one) => "navigate" in one);
  if (!page) return self.clients.openWindow(address);
  await page.focus();
  return page.navigate(address).catch(() => self.clients.openWindow(address));
}
