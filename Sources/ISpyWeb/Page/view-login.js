// Asked only where ispy is reached from other computers.
import { post } from "./api.js";
import { busy, field, h, setText } from "./dom.js";

export function loginView(done) {
  const password = h("input", { type: "password", autocomplete: "current-password", required: true, "data-test": "login-password" });
  const error = h("p", { class: "error", role: "alert", "data-test": "login-error" });
  const submit = h("button", { type: "submit", class: "primary", "data-test": "login-submit" }, "Log in");
  const form = h("form", {
    class: "card login",
    onsubmit(event) {
      event.preventDefault();
      setText(error, "");
      busy(submit, async () => {
        await post("login", { password: password.value });
        password.value = "";
        await done();
      }, (problem) => {
        setText(error, problem.message);
        password.select();
      });
    },
  }, h("h1", {}, "ispy"), h("p", { class: "hint" }, "This ispy is protected. Its password was set where it was started."), field("Password", password), error, h("div", { class: "buttons" }, submit));
  return form;
}
