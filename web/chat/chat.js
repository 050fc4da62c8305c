// Starts Converse.js against the server that served this page; the settings come from the server's configuration.
import './converse.min.js';
import { addPush } from './push.js';

const settings = await (await fetch('settings.json')).json();
const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
addPush(window.converse, settings);
window.converse.initialize({
  websocket_url: `${scheme}://${location.host}/ws`,
  assets_path: '/chat/',
  view_mode: 'fullscreen',
  authentication: 'login',
  default_domain: settings.domain,
  muc_domain: settings.room_service,
  muc_nickname_from_jid: true,
  allow_registration: settings.registration,
  registration_domain: settings.domain,
  discover_connection_methods: false,
  auto_list_rooms: true,
  clear_cache_on_logout: true,
  whitelisted_plugins: ['muster-push'],
});
