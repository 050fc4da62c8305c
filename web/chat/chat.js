// Starts Converse.js against the server that served this page; the settings come from the server's configuration.
(async () => {
  const settings = await (await fetch('settings.json')).json();
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  converse.initialize({
    websocket_url: `${scheme}://${location.host}/ws`,
    assets_path: '/chat/',
    view_mode: 'fullscreen',
    theme: 'classic',
    dark_theme: 'dracula',
    authentication: 'login',
    default_domain: settings.domain,
    muc_domain: settings.room_service,
    muc_nickname_from_jid: true,
    allow_registration: settings.registration,
    registration_domain: settings.domain,
    discover_connection_methods: false,
    auto_list_rooms: true,
    auto_register_muc_nickname: 'unregister',
    clear_cache_on_logout: true,
    allow_url_history_change: true,
    show_send_button: true,
  });
})();
