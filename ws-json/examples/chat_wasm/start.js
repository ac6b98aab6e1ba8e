// Runs the module, which does all else.
import start from './chat_wasm.js';

start().catch((error) => {
  document.getElementById('state').textContent = 'This browser can’t run the page.';
  throw error;
});
