// Passkeys. A form with `data-passkey="register"` or `"sign-in"` asks `data-options-url` for a challenge (a POST with the form's
// fields), lets the browser answer it, and sends itself with the answer, as JSON, in its field `credential`, and the challenge's
// `ticket` in that field.
// What the browser cannot do stays hidden: mark it `hidden data-passkey-only`.
import { toast } from "./toast.js";

export function passkey(piece) {
  if (!window.PublicKeyCredential || !navigator.credentials) return;
  for (const hidden of piece.querySelectorAll("[data-passkey-only]")) hidden.hidden = false;
  for (const form of piece.querySelectorAll("form[data-passkey]")) {
    form.addEventListener("submit", (event) => {
      if (form.elements.credential.value) return;
      // A form that can do without says which of its buttons asks for the passkey.
      if (form.dataset.passkeyBy && event.submitter?.name !== form.dataset.passkeyBy) return;
      event.preventDefault();
      answer(form).catch((refusal) => {
        // The person closed the browser's window or waited too long: nothing to say.
        if (refusal.name !== "NotAllowedError" && refusal.name !== "AbortError") toast(form.dataset.failed ?? document.body.dataset.failed);
      });
    });
  }
}

async function answer(form) {
  const button = form.querySelector("button[type=submit]");
  button?.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(form.dataset.optionsUrl, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
      credentials: "same-origin",
    });
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    const { publicKey, ticket } = await response.json();
    const credential = form.dataset.passkey === "register"
      ? await navigator.credentials.create({ publicKey: opened(publicKey) })
      : await navigator.credentials.get({ publicKey: opened(publicKey) });
    form.elements.ticket.value = ticket;
    form.elements.credential.value = JSON.stringify(told(credential));
    form.submit();
  } finally {
    button?.removeAttribute("aria-busy");
  }
}

// WebAuthn §5.1.8 and §5.1.9: options come with base64url where the browser wants octets.
function opened(options) {
  const keys = (list) => list?.map((key) => ({ ...key, id: octets(key.id) }));
  const result = { ...options, challenge: octets(options.challenge) };
  if (options.user) result.user = { ...options.user, id: octets(options.user.id) };
  if (options.excludeCredentials) result.excludeCredentials = keys(options.excludeCredentials);
  if (options.allowCredentials) result.allowCredentials = keys(options.allowCredentials);
  return result;
}

// And the answer goes back as text.
function told(credential) {
  const { response } = credential;
  const result = {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment,
    extensions: credential.getClientExtensionResults(),
    response: { clientDataJSON: text(response.clientDataJSON) },
  };
  if (response.attestationObject) {
    result.response.attestationObject = text(response.attestationObject);
    result.response.transports = response.getTransports?.() ?? [];
  } else {
    result.response.authenticatorData = text(response.authenticatorData);
    result.response.signature = text(response.signature);
    result.response.userHandle = response.userHandle ? text(response.userHandle) : null;
  }
  return result;
}

function octets(base64url) {
  const binary = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function text(buffer) {
  const binary = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
