import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useServerFacts } from "../../api/queries.ts";
import { Button, CalmPage, Icon, PageTitle } from "../../design/index.ts";
import { compare, type Finding, fetchOwn, type Published, readList } from "./check.ts";
import "./verify.css";

const WAITING: Finding = { type: "waiting" };

/** `/verify`: what this server delivers, file by file, and what that does and does not prove. */
export default function VerifyPage() {
  const { t } = useTranslation("verify");
  const [list, setList] = useState<Published | "loading" | "none">("loading");
  const [findings, setFindings] = useState<ReadonlyMap<string, Finding>>(new Map());
  const [round, setRound] = useState(1);
  const server = useServerFacts(true);

  useEffect(() => {
    let isCurrent = round > 0;
    setFindings(new Map());
    void readList(fetchOwn).then(async (found) => {
      if (!isCurrent) return;
      setList(found ?? "none");
      await compare(found?.files ?? [], fetchOwn, (path, finding) => {
        if (isCurrent) setFindings((before) => new Map(before).set(path, finding));
      });
    });
    return () => {
      isCurrent = false;
    };
  }, [round]);

  if (list === "none") {
    return (
      <CalmPage
        title={t("title")}
        icon="alert"
        heading={t("none.heading")}
        text={<p role="alert">{t("none.text")}</p>}
        actions={<Button onPress={() => setRound(round + 1)}>{t("again")}</Button>}
      />
    );
  }
  return (
    <main id="main" className="page verify">
      <PageTitle title={t("title")}>{t("heading")}</PageTitle>
      <p>{t("intro")}</p>
      {list !== "loading" && (
        <>
          <Summary list={list} findings={findings} />
          <dl className="verify__facts">
            <dt>{t("version")}</dt>
            <dd>{server.data?.version ?? "…"}</dd>
            <dt>{t("listHash")}</dt>
            <dd>
              <code>{list.sha256}</code>
            </dd>
          </dl>
        </>
      )}
      <section aria-labelledby="verify-limits">
        <h2 className="h2" id="verify-limits">
          {t("limits.heading")}
        </h2>
        <p>{t("limits.lie")}</p>
        <p>{t("limits.outside")}</p>
        <pre className="verify__commands">
          <code>
            {`curl -s ${location.origin}/hashes.json | sha256sum\n`}
            {`curl -s ${location.origin}/ | sha256sum\n`}
            {"conclave hashes"}
          </code>
        </pre>
        <p>{t("limits.commands")}</p>
      </section>
      {list !== "loading" && <FileTable list={list} findings={findings} />}
    </main>
  );
}

interface Results {
  list: Published;
  findings: ReadonlyMap<string, Finding>;
}

function Summary({ list: { files }, findings }: Results) {
  const { t } = useTranslation("verify");
  const bad = [...findings.values()].filter(({ type }) => type !== "same").length;
  const isDone = findings.size === files.length;
  if (bad > 0) {
    return (
      <p className="verify__sum" role="alert">
        <Icon name="alert" /> <strong>{t("sum.bad", { count: bad })}</strong>
      </p>
    );
  }
  return (
    <p className="verify__sum" role="status">
      {isDone && <Icon name="check" />}{" "}
      <strong>
        {isDone
          ? t("sum.good", { count: files.length })
          : t("sum.running", { done: findings.size, all: files.length })}
      </strong>
    </p>
  );
}

function FileTable({ list: { files }, findings }: Results) {
  const { t } = useTranslation("verify");
  return (
    <section aria-labelledby="verify-files">
      <h2 className="h2" id="verify-files">
        {t("files.heading")}
      </h2>
      <table className="verify__files">
        <thead>
          <tr>
            <th scope="col">{t("files.file")}</th>
            <th scope="col">{t("files.published")}</th>
            <th scope="col">{t("files.computed")}</th>
          </tr>
        </thead>
        <tbody>
          {files.map(({ path, sha256 }) => {
            const finding = findings.get(path) ?? WAITING;
            return (
              <tr key={path} data-finding={finding.type}>
                <th scope="row">{path}</th>
                <td>
                  <code>{sha256}</code>
                </td>
                <td>
                  {t(`files.${finding.type}`)}
                  {finding.type === "different" && <code>{finding.sha256}</code>}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}
