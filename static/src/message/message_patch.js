import { Message } from "@mail/core/common/message";
import { _t } from "@web/core/l10n/translation";
import { patch } from "@web/core/utils/patch";

patch(Message.prototype, {
    get aiBadgeTitle() {
        return _t("Written by an AI assistant for %s", this.message.authorName || "");
    },
});
