// Notifications while the page is closed (Web Push): a button in the list of chats. What the browser subscribes to is
// registered at the own account and at the room service, as with any app server (XEP-0357): the app server is the
// server itself.

const Push = 'urn:xmpp:push:0';
const Options = 'http://jabber.org/protocol/pubsub#publish-options';
const Priority = 'tigase:push:priority:0';
// For which account they are on in this browser.
const Remembered = 'muster-push';

const texts = {
  off: ['Notify me when this page is closed', ''],
  on: ['Turn notifications off', 'You are notified when this page is closed.'],
  denied: ['', 'This browser is set to show no notifications of this page.'],
};

/** Adds the button to Converse, where browser and server can notify. */
export function addPush(converse, settings) {
  if (!settings.push_key || !('serviceWorker' in navigator) || !('PushManager' in window)) return;
  converse.plugins.add('muster-push', {
    initialize() {
      const { _converse } = this;
      const { api } = _converse;
      const { $iq, Strophe } = converse.env;
      const worker = navigator.serviceWorker.register('push-worker.js');
      worker.catch(() => {}); // told when somebody wants it
      const bar = makeBar(() => act(toggle));
      let rooms = false; // whether the room service knows this browser

      const account = () => _converse.session.get('bare_jid');
      const subscription = async () => (await worker).pushManager.getSubscription();

      async function refresh() {
        bar.place();
        const found = await subscription();
        if (!found || localStorage.getItem(Remembered) !== account()) {
          // It was another user's: without it nothing reaches this browser for them.
          await found?.unsubscribe();
          bar.show(Notification.permission === 'denied' ? 'denied' : 'off');
        } else {
          // XEP-0357 §5: at each login. So the server knows which session belongs to this browser.
          await enable(isOwn(found) ? found : await renew(found));
          bar.show('on');
        }
      }

      async function toggle() {
        const found = await subscription();
        if (found && localStorage.getItem(Remembered) === account()) {
          await disable(found);
          bar.show('off');
          return;
        }
        if (await Notification.requestPermission() !== 'granted') {
          bar.show(Notification.permission === 'denied' ? 'denied' : 'off');
          return;
        }
        await enable(await subscribe());
        localStorage.setItem(Remembered, account());
        bar.show('on');
      }

      const subscribe = async () => (await worker).pushManager.subscribe({
        userVisibleOnly: true,
        applicationServerKey: bytesOf(settings.push_key),
      });

      // The server has another key than it had: what the old one was given to is void.
      async function renew(found) {
        await found.unsubscribe();
        return subscribe();
      }

      const isOwn = found => !found.options?.applicationServerKey
        || textOf(found.options.applicationServerKey) === settings.push_key;

      async function enable(found) {
        rooms = false;
        await api.sendIQ(await request(found, account()));
        await enableRooms(found);
      }

      // The room service refuses who is in no room yet.
      async function enableRooms(found) {
        try {
          await api.sendIQ(await request(found, settings.room_service));
          rooms = true;
        } catch {
          // Asked again when a room is entered.
        }
      }

      async function request(found, to) {
        const { endpoint, keys } = found.toJSON();
        const iq = $iq({ type: 'set', to })
          .c('enable', { xmlns: Push, jid: Strophe.getDomainFromJid(account()), node: await nodeOf(endpoint) })
          .c('priority', { xmlns: Priority }).up()
          .c('x', { xmlns: 'jabber:x:data', type: 'submit' });
        const fields = { FORM_TYPE: Options, endpoint, p256dh: keys.p256dh, auth: keys.auth };
        for (const [name, value] of Object.entries(fields))
          iq.c('field', { var: name }).c('value').t(value).up().up();
        return iq;
      }

      async function disable(found) {
        localStorage.removeItem(Remembered);
        // First, and whatever the server says: then nothing can come.
        await found.unsubscribe();
        const node = await nodeOf(found.endpoint);
        for (const to of [account(), settings.room_service]) {
          const jid = Strophe.getDomainFromJid(account());
          await api.sendIQ($iq({ type: 'set', to }).c('disable', { xmlns: Push, jid, node }), 5000).catch(() => {});
        }
      }

      async function act(what) {
        bar.busy(true);
        try {
          await what();
        } catch (error) {
          console.warn('notifications', error);
          bar.fail();
        }
        bar.busy(false);
      }

      api.listen.on('connected', () => act(refresh));
      api.listen.on('reconnected', () => act(refresh));
      api.listen.on('enteredNewRoom', async () => {
        if (rooms || localStorage.getItem(Remembered) !== account()) return;
        const found = await subscription();
        if (found) await enableRooms(found);
      });
      // Whoever logs out may leave the browser to others.
      api.listen.on('beforeLogout', async () => {
        bar.remove();
        const found = await subscription().catch(() => null);
        if (found) await disable(found).catch(() => {});
      });
      document.addEventListener('visibilitychange', async () => {
        if (document.visibilityState !== 'visible') return;
        // What they told of is in sight.
        for (const shown of await (await worker).getNotifications()) shown.close();
      });
    },
  });
}

// Stands at the foot of the list of chats. Converse draws that when it likes, so it is put there again and again.
function makeBar(press) {
  const bar = document.createElement('div');
  bar.id = 'muster-push';
  bar.innerHTML = '<span role="status"></span><button type="button" class="btn btn-sm btn-primary"></button>';
  const [status, button] = bar.children;
  button.addEventListener('click', press);
  const put = () => bar.isConnected || document.querySelector('#controlbox:not(.logged-out) .box-flyout')?.append(bar);
  const watch = new MutationObserver(put);
  return {
    place() {
      put();
      watch.observe(document.body, { childList: true, subtree: true });
    },
    show(state) {
      bar.dataset.state = state;
      [button.textContent, status.textContent] = texts[state];
      button.hidden = !button.textContent;
    },
    fail() {
      status.textContent = 'This did not work. The browser or the server could not be reached.';
    },
    busy(is) {
      button.disabled = is;
    },
    remove() {
      watch.disconnect();
      bar.remove();
    },
  };
}

// One name for one browser, that says nothing of the address.
async function nodeOf(endpoint) {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(endpoint));
  return textOf(hash.slice(0, 16));
}

function bytesOf(text) {
  const plain = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(plain, letter => letter.charCodeAt(0));
}

function textOf(buffer) {
  return btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
