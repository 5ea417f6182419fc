// A tab of the browser, and everything that is noticed in it: what a page asks of other hosts,
// what fails, what its policy refuses, what its console says, and any script that isn't the
// page's own. Whoever reads in it at the time is told. Tabs are kept, for a new one takes long.
export class Tab {
  #idle;
  page;
  reader; // who reads in it now

  // `idle` has those that nobody reads in.
  static async open(context, idle, javaScript) {
    const tab = new Tab();
    tab.#idle = idle;
    tab.page = await context.newPage();
    tab.#listen();
    if (javaScript) await tab.#listenInside();
    return tab;
  }

  // For the next one, who finds it empty and light.
  async leave() {
    this.reader = undefined;
    await this.page.goto("about:blank");
    await this.page.emulateMedia({ colorScheme: "light" });
    this.#idle.push(this);
  }

  #found(kind, text) {
    this.reader?.found(kind, text);
  }

  #listen() {
    const { page } = this;
    page.on("pageerror", (error) => this.#found("error", error.stack ?? `${error}`));
    page.on("dialog", (dialog) => {
      if (this.reader?.isAsked(dialog.message())) return void dialog.accept();
      this.#found("injection", `a dialog opened: ${dialog.message()}`);
      dialog.dismiss().catch(() => {});
    });
    page.on("popup", (popup) => this.#found("injection", `a window opened: ${popup.url()}`));
    page.on("console", (message) => this.reader?.said(message));
    page.on("request", (request) => this.reader?.asked(request.url()));
    page.on("websocket", (socket) => this.reader?.asked(socket.url()));
    page.on("requestfailed", (request) => {
      const why = request.failure()?.errorText;
      // Whoever goes to another page lets go of what the last one still waited for.
      if (why !== "net::ERR_ABORTED") this.#found("request", `${request.url()} failed: ${why}`);
    });
    page.on("response", (response) => this.reader?.answered(response));
  }

  async #listenInside() {
    await this.page.exposeBinding("__noticed", (_, kind, text) => this.#found(kind, text));
    await this.page.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => {
        const { effectiveDirective, blockedURI, lineNumber, sample } = event;
        const text = `refused by ${effectiveDirective}: ${blockedURI} in line ${lineNumber}`;
        window.__noticed("policy", `${text} ${sample}`);
      });
      Object.defineProperty(window, "__xss", {
        set: (probe) => window.__noticed("injection", `a foreign script ran: ${probe}`),
      });
    });
  }
}
