// Shows one contract document. External, because the page's Content-Security-Policy allows no inline script.
const asked = new URLSearchParams(location.search).get("audience") ?? "";
const link = [...document.querySelectorAll("[data-audience]")].find((one) => one.dataset.audience === asked)
  ?? document.querySelector('[data-audience=""]');
const audience = link.dataset.audience;
const url = audience ? `/openapi/${audience}.json` : "/openapi.json";

link.setAttribute("aria-current", "page");
document.getElementById("document").href = url;

SwaggerUIBundle({
  url,
  dom_id: "#contract",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayOperationId: true,
  validatorUrl: null, // the default sends the document to a service on the internet
});
