// What the page says, in Portuguese and in English. What the bot says is the bot's: it speaks Portuguese.

const PORTUGUESE = {
  bank: "Seu Banco",
  title: "rasa-ps7: o chat que já sabe quem chega",
  language: "Idioma",
  whoArrives: "Quem chega ao chat?",
  whoArrivesLead:
    "Cada pessoa vem da URA ou do aplicativo e traz um contextId. Escolha uma e acompanhe, ao lado da conversa, o que o bot fica sabendo e o que foi perguntado ao PS7. Todas são fictícias.",
  customers: "Clientes",
  faults: "Quando algo não dá certo",
  back: "Outra pessoa",
  sides: "O que mostrar",
  chat: "Conversa",
  panel: "Bastidores",
  messages: "Mensagens",
  suggestions: "Sugestões",
  yourMessage: "Escreva uma mensagem",
  send: "Enviar",
  you: "Você:",
  bot: "Assistente:",
  note: "Aviso:",
  again: "A conexão voltou. Para o bot, esta é uma conversa nova.",
  connecting: "Conectando…",
  lost: "A conexão caiu. Tentando de novo…",
  noTurn: "O painel não recebeu este turno: o Rasa ou o simulador não respondeu.",
  noServer: "O servidor desta página não responde. Ele ainda está rodando no terminal?",
  panelTitle: "Nos bastidores",
  panelHint: "Turno a turno, o mais novo primeiro. O que está “mascarado aqui” está completo no slot.",
  arrival: "Chegada",
  asked: "O que foi perguntado ao PS7",
  known: "O que o bot sabe",
  nothingKnown: "Nada sobre quem está na conversa.",
  cleared: "apagado",
  sealed: "selado",
  masked: "mascarado aqui",
  changed: "novo",
  waiting: "aguardando o Rasa…",
  noAnswer: "sem resposta",
  requests: (count) => (count === 1 ? "1 pedido" : `${count} pedidos`),
  how: "Como o contextId chega até o bot",
  howArrives: "O chat diz ao back-end o id da conversa e recebe o que vai em metadata, com cada mensagem:",
  howFound: "O Rasa entrega metadata ao bot, e action_ps7_context acha o contextId ali, em todo turno, sem regra nenhuma.",
  unsigned: "Em produção, o seu back-end assina o contextId: com PS7_ARRIVAL_KEYS, só vale o que ele assinou para esta conversa. docs/security.pt-BR.md tem as poucas linhas de código; make webchat SIGNED=1 mostra como fica.",
  signed: "Este contextId veio assinado pelo servidor da página, que aqui faz o papel do seu back-end: vale para esta conversa e por dois minutos (PS7_ARRIVAL_KEYS, docs/security.pt-BR.md).",
  status: {
    ok: "O PS7 conhece este contexto.",
    missing: "Ninguém conhecido: a conversa segue anônima.",
    invalid: "O contextId não serve: a conversa segue anônima.",
    rejected: "O PS7 não conhece este contexto: a conversa segue anônima.",
    denied: "O PS7 recusou as credenciais do bot: passar adiante e avisar a operação.",
    unavailable: "O PS7 não respondeu como devia: pedir desculpas e tentar no próximo turno.",
    expired: "O prazo do contexto acabou: a conversa segue anônima.",
    tampered: "Algo fingiu ser um cliente: passar adiante e avisar a segurança.",
  },
  unasked: {
    ok: "Nada: o contexto selado ainda vale.",
    missing: "Nada: a conversa não trouxe contextId.",
    left: "Nada: quem saiu não é consultado de novo nesta conversa.",
    rejected: "Nada: o PS7 acabou de dizer que não conhece este contexto.",
    circuit_open: "Nada: depois de cinco consultas sem resposta, o PS7 descansa por 15 segundos.",
    other: "Nada neste turno.",
  },
  slots: {
    ps7_status: "Resultado",
    segment: "Segmento",
    identification: "Cliente",
    security_device: "Dispositivo",
    token_status: "Token",
    cpf: "CPF",
    cpf_masked: "CPF para exibir",
    agency: "Agência",
    account: "Conta",
    ivr_option: "Opção na URA",
    balance_offered: "Saldo oferecido",
    ps7_expires_at: "Vale até",
    ps7_context: "Contexto",
  },
  values: {
    ps7_status: {
      ok: "ok",
      missing: "ausente",
      invalid: "inválido",
      rejected: "rejeitado",
      denied: "recusado",
      unavailable: "indisponível",
      expired: "expirado",
      tampered: "adulterado",
    },
    identification: { authenticated: "autenticado", identified: "identificado", not_identified: "não identificado" },
    security_device: { token: "token", csi: "CSI", none: "nenhum" },
    token_status: { valid: "válido", invalid: "não validado", absent: "ausente" },
    balance_offered: { True: "sim" },
  },
};

const ENGLISH = {
  bank: "Your Bank",
  title: "rasa-ps7: the chat that knows who arrives",
  language: "Language",
  whoArrives: "Who arrives at the chat?",
  whoArrivesLead:
    "Each of them comes from the phone menu or the app and brings a contextId. Pick one, and watch beside the chat what the bot gets to know and what PS7 was asked. All of them are made up.",
  customers: "Customers",
  faults: "When something goes wrong",
  back: "Somebody else",
  sides: "What to show",
  chat: "Chat",
  panel: "Behind it",
  messages: "Messages",
  suggestions: "Suggestions",
  yourMessage: "Message, in Portuguese",
  send: "Send",
  you: "You:",
  bot: "Assistant:",
  note: "Note:",
  again: "The connection is back. For the bot, this is a new conversation.",
  connecting: "Connecting…",
  lost: "The connection is lost. Trying again…",
  noTurn: "This turn did not reach the panel: Rasa or the simulator did not answer.",
  noServer: "The server of this page does not answer. Is it still running in the terminal?",
  panelTitle: "Behind the chat",
  panelHint: "Turn by turn, the newest first. What is “masked here” is whole in its slot.",
  arrival: "Arrival",
  asked: "What PS7 was asked",
  known: "What the bot knows",
  nothingKnown: "Nothing about who is there.",
  cleared: "cleared",
  sealed: "sealed",
  masked: "masked here",
  changed: "new",
  waiting: "waiting for Rasa…",
  noAnswer: "no answer",
  requests: (count) => (count === 1 ? "1 request" : `${count} requests`),
  how: "How the contextId reaches the bot",
  howArrives: "The chat tells the back-end the id of the conversation, and gets what goes into metadata, with each message:",
  howFound: "Rasa hands metadata to the bot, and action_ps7_context finds the contextId there, on every turn, without any rule.",
  unsigned: "In production your back-end signs the contextId: with PS7_ARRIVAL_KEYS, only what it signed for this conversation counts. docs/security.md has the few lines of code; make webchat SIGNED=1 shows it.",
  signed: "This contextId came signed by the page's server, which plays your back-end here: it counts for this conversation and for two minutes (PS7_ARRIVAL_KEYS, docs/security.md).",
  status: {
    ok: "PS7 knows this context.",
    missing: "Nobody known: the chat goes on anonymously.",
    invalid: "The contextId is not usable: the chat goes on anonymously.",
    rejected: "PS7 does not know this context: the chat goes on anonymously.",
    denied: "PS7 refused the bot's credentials: hand over, and alert operations.",
    unavailable: "PS7 did not answer as it should: apologise, and try on the next turn.",
    expired: "The context's time is over: the chat goes on anonymously.",
    tampered: "Something pretended to be a customer: hand over, and alert security.",
  },
  unasked: {
    ok: "Nothing: the sealed context still holds.",
    missing: "Nothing: the chat brought no contextId.",
    left: "Nothing: whoever has left is not looked up again in this chat.",
    rejected: "Nothing: PS7 has just said that it does not know this context.",
    circuit_open: "Nothing: after five lookups without an answer, PS7 is left alone for 15 seconds.",
    other: "Nothing on this turn.",
  },
  slots: {
    ps7_status: "Outcome",
    segment: "Segment",
    identification: "Identification",
    security_device: "Device",
    token_status: "Token",
    cpf: "CPF",
    cpf_masked: "CPF to display",
    agency: "Branch",
    account: "Account",
    ivr_option: "Phone menu",
    balance_offered: "Balance offered",
    ps7_expires_at: "Holds until",
    ps7_context: "Context",
  },
  values: {
    ps7_status: {},
    identification: { not_identified: "not identified" },
    security_device: { csi: "CSI" },
    token_status: { invalid: "not validated" },
    balance_offered: { True: "yes" },
  },
};

/** What a customer may want to say, and what it means. */
export const SUGGESTIONS = {
  "Qual é o meu saldo?": "What is my balance?",
  "Qual é a minha agência e conta?": "Which branch and account?",
  "Que horas o banco abre?": "When does the bank open?",
  "Quero falar com uma pessoa": "I want to talk to a person",
  Tchau: "Goodbye",
};

/** What the answers mean that the bot suggests. */
export const REPLIES = { Sim: "Yes", Não: "No" };

export const DEFAULT = "pt-BR";
export const TEXTS = { "pt-BR": PORTUGUESE, en: ENGLISH };

/** Write the texts of one language into everything that asks for one. */
export function translate(language) {
  const texts = TEXTS[language];
  document.documentElement.lang = language;
  for (const node of document.querySelectorAll("[data-text]")) node.textContent = texts[node.dataset.text];
  for (const node of document.querySelectorAll("[data-label]")) node.setAttribute("aria-label", texts[node.dataset.label]);
  for (const node of document.querySelectorAll("[data-placeholder]")) node.placeholder = texts[node.dataset.placeholder];
  for (const link of document.querySelectorAll("[data-language]")) {
    if (link.dataset.language === language) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}
