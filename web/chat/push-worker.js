// Shows what is pushed while the page is closed; see push.js.

self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('push', event => event.waitUntil(show(read(event.data))));
self.addEventListener('notificationclick', event => {
  event.notification.close();
  event.waitUntil(open());
});

// { host, count, body, sender, nick }: of these only the first two are always there.
function read(data) {
  try {
    return data.json();
  } catch {
    return {};
  }
}

function show({ host = self.location.hostname, count = 1, body = 'New message', sender, nick }) {
  const conversation = sender?.split('/')[0];
  return self.registration.showNotification(conversation ?? host, {
    body: (nick ? `${nick}: ${body}` : body) + (count > 1 ? ` (${count})` : ''),
    // A newer one of the same conversation takes its place.
    tag: conversation ?? host,
    renotify: true,
    icon: 'images/logo/conversejs-filled-192.png',
  });
}

async function open() {
  const windows = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const chat = windows.find(window => window.url.startsWith(self.registration.scope));
  return chat ? chat.focus() : self.clients.openWindow(self.registration.scope);
}
